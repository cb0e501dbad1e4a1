"""The Model Zoo's files and artifacts in an experiment."""

import json
from pathlib import Path

import pytest
import yaml

from bertsquad.artifacts.catalogue import load_catalogue
from bertsquad.console.errors import UserError
from bertsquad.experiment.config import resolve
from bertsquad.experiment.files import Experiment
from bertsquad.modelzoo.steps import ModelZoo

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = ROOT / "config/schemas/config.schema.yaml"


def zoo(text: str = "", **section) -> ModelZoo:
    """The steps of a YAML text, or the shipped ones; `section` changes other keys of `modelzoo`."""
    shipped = yaml.safe_load((ROOT / "config/modelzoo.yaml").read_text(encoding="utf-8"))
    if text:
        shipped["modelzoo"]["steps"] = yaml.safe_load(text)
    shipped["modelzoo"] |= section
    config = resolve(shipped, SCHEMA, "zoo.yaml")
    return ModelZoo(Experiment(config, load_catalogue(ROOT / "config/artifacts.yaml"), place))


def place(path: str) -> str:
    return path.replace("<results>", "results").replace("<resources>", "res")


def test_without_the_section_there_is_nothing():
    config = {"checkpoint": "synthetic", "dataset": "synthetic", "runs": {}}
    none = ModelZoo(Experiment(config, load_catalogue(ROOT / "config/artifacts.yaml"), str))
    assert none.steps == {}
    assert none.all_files() == none.artifacts() == none.findings() == []
    with pytest.raises(UserError, match="the configuration has no `modelzoo`"):
        none.targets()


def test_the_shipped_steps_need_the_guides_files():
    assert zoo().artifacts() == [
        "models-1.6.1.zip",
        "wwm_cased_L-24_H-1024_A-16.zip",
        "dev-v1.1.json",
        "train-v1.1.json",
        "evaluate-v1.1.py",
        "wwm_uncased_L-24_H-1024_A-16.zip",
        "bert_large_checkpoints.zip",
    ]


def test_the_shipped_steps_make_numbers_scores_and_a_model():
    assert zoo().targets() == [
        "results/modelzoo/train/result.json",
        "results/modelzoo/benchmark/result.json",
        "results/modelzoo/accuracy/result.json",
        "results/modelzoo/train/metrics.json",
        "results/modelzoo/accuracy/metrics.json",
        "results/modelzoo/train/model/model.safetensors",
    ]


FOLLOWING = """
train: {mode: training, checkpoint: wwm_uncased_bert_large, arguments: {train_option: SQuAD}}
answers: {mode: accuracy, weights_from: train}
"""


def test_a_step_can_use_what_another_one_trained():
    steps = zoo(FOLLOWING)
    assert steps.weights("answers") == "results/modelzoo/train/model.ckpt"
    assert steps.weights_files("answers") == [
        "results/modelzoo/train/model.ckpt.index",
        "results/modelzoo/train/model.ckpt.data-00000-of-00001",
    ]
    assert steps.member("answers", "vocab").endswith("wwm_uncased_L-24_H-1024_A-16/vocab.txt")
    assert "bert_large_checkpoints.zip" not in steps.artifacts()


def test_a_published_checkpoint_lies_where_it_was_unpacked():
    assert zoo().weights("benchmark") == (
        "res/unzipped/bert_large_checkpoints.zip/bert_large_checkpoints/model.ckpt-3649"
    )


@pytest.mark.parametrize(
    ("source", "launcher", "inputs"),
    [
        ("models-1.6.1.zip", "res/modelzoo/models-1.6.1.zip/benchmarks/launch_benchmark.py", 1),
        ("/opt/models/", "/opt/models/benchmarks/launch_benchmark.py", 1),
        ("image:/opt/models", "/opt/models/benchmarks/launch_benchmark.py", 0),
    ],
)
def test_the_launcher_comes_from_an_archive_a_folder_or_the_image(source, launcher, inputs):
    steps = zoo(source=source)
    assert steps.launcher() == launcher
    assert len(steps.launcher_files()) == inputs
    assert steps.archives() == (["models-1.6.1.zip"] if source.endswith(".zip") else [])
    steps.check_names("zoo.yaml")


WRONG = {
    "an unknown checkpoint": (
        "a: {mode: accuracy, checkpoint: minilmm}",
        {},
        "modelzoo.steps.a: unknown checkpoint 'minilmm'; did you mean minilm?",
    ),
    "no TensorFlow checkpoint": (
        "a: {mode: accuracy, checkpoint: minilm}",
        {},
        "checkpoint 'minilm' is not TensorFlow's",
    ),
    "an unknown training": ("a: {mode: accuracy, weights_from: train}", {}, "no training step"),
    "a training that follows": (
        "a: {mode: training}\nb: {mode: training, weights_from: a}",
        {},
        "only for the modes benchmark and accuracy",
    ),
    "an unknown archive": ("a: {mode: accuracy}", {"source": "models-1.6.2.zip"}, "did you mean"),
    "no image for a folder of it": (
        "a: {mode: accuracy}",
        {"source": "image:/x", "image": None},
        "needs an `image`",
    ),
}


@pytest.mark.parametrize(("text", "section", "message"), WRONG.values(), ids=WRONG)
def test_a_name_that_means_nothing_is_one_line(text, section, message):
    with pytest.raises(UserError) as error:
        zoo(text, **section).check_names("zoo.yaml")
    assert str(error.value).startswith("zoo.yaml: modelzoo.")
    assert message in str(error.value)


def test_errors_are_refused_together_and_name_the_step():
    steps = zoo(
        "a: {mode: training, arguments: {train_option: SQuAD, output_dir: x, accum_steps: 2}}"
    )
    with pytest.raises(UserError, match=r"^zoo\.yaml: modelzoo\.steps\.a: 2 things stand against"):
        steps.refuse(steps.findings(), "zoo.yaml")


def test_what_decides_a_run_is_its_words_and_not_our_code():
    words = zoo().words("benchmark")
    assert words.startswith("numactl --localalloc --physcpubind=0-27 python3 res/modelzoo/")
    assert "--output-dir results/modelzoo/benchmark/output" in words


def test_settings_hold_what_the_command_needs_and_no_path():
    settings = json.loads(zoo().settings("train"))
    assert settings["python"] == "python3"
    assert settings["options"]["mpi_num_processes"] == 4
    assert "checkpoint" not in settings


def test_the_container_gets_the_guides_shared_memory():
    assert zoo().container_options() == "--shm-size 8g --binding yes"
    assert zoo(binding=False).container_options() == "--shm-size 8g --binding no"
    assert zoo(image=None).container_options() == ""


def test_the_gelu_is_the_one_that_training_used():
    assert zoo().gelu("train") == "erf"
    assert zoo("a: {mode: training, arguments: {train_option: SQuAD}}").gelu("a") == "tanh"
