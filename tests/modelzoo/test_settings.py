"""From the configuration to the launcher's command line; the shipped steps give the guide's."""

from pathlib import Path

import pytest
import yaml

from bertsquad.experiment.config import resolve
from bertsquad.modelzoo.settings import (
    RESERVED_ARGUMENTS,
    RESERVED_OPTIONS,
    STEP_CHECKS,
    CallFiles,
    Step,
    command,
    examine_step,
    step_of,
    words,
)
from modelzoo.guide import INFERENCE, INFERENCE_FILES, LAUNCHER, TRAINING, TRAINING_FILES
from modelzoo.guide import words as typed

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def steps() -> dict:
    config = yaml.safe_load((ROOT / "config/modelzoo.yaml").read_text(encoding="utf-8"))
    resolved = resolve(config, ROOT / "config/schemas/config.schema.yaml", "modelzoo.yaml")
    return {name: step_of(step) for name, step in resolved["modelzoo"]["steps"].items()}


def test_the_shipped_training_is_the_guides_word_for_word(steps):
    line = command(steps["train"], TRAINING_FILES, launcher=LAUNCHER)
    assert words(line) == typed(TRAINING)


def test_the_shipped_benchmark_is_the_guides_word_for_word(steps):
    line = command(steps["benchmark"], INFERENCE_FILES, launcher=LAUNCHER)
    assert words(line) == typed(INFERENCE)


def test_the_shipped_steps_can_run_and_say_what_is_ignored(steps):
    found = {name: examine_step(step) for name, step in steps.items()}
    assert not [each for part in found.values() for each in part if each.severity == "error"]
    assert "warmup-steps" in {each.check for each in found["train"]}


def test_files_elsewhere_are_named_and_files_in_place_are_not(steps):
    files = CallFiles(
        output=Path("/r/out"),
        vocab=Path("/a/vocab.txt"),
        config=Path("/a/bert_config.json"),
        weights=Path("/w/model.ckpt"),
        dev=Path("/d/dev-v1.1.json"),
    )
    line = command(steps["accuracy"], files, launcher=LAUNCHER)
    assert line.options["data_location"] == "/a"
    assert line.options["checkpoint"] == "/w"
    assert line.arguments == ("init_checkpoint=model.ckpt", "predict_file=/d/dev-v1.1.json")
    assert line.options["accuracy_only"] is True
    assert "benchmark_only" not in line.options


def step(mode: str = "training", **more) -> Step:
    arguments = {"train_option": "SQuAD"} if mode == "training" else {}
    return Step(mode, "fp32", arguments=arguments | more.pop("arguments", {}), **more)


def test_options_and_arguments_may_be_spelled_either_way():
    one = step(options={"num-intra-threads": 2}, arguments={"doc-stride": 64})
    other = step(options={"num_intra_threads": 2}, arguments={"doc-stride": 64})
    assert command(one, TRAINING_FILES, launcher=LAUNCHER) == command(
        other, TRAINING_FILES, launcher=LAUNCHER
    )
    assert command(one, TRAINING_FILES, launcher=LAUNCHER).values()["doc_stride"] == "64"


def test_a_flag_that_is_false_is_not_there():
    line = command(step(options={"verbose": False}), TRAINING_FILES, launcher=LAUNCHER)
    assert "verbose" not in line.options
    line = command(step(options={"verbose": True}), TRAINING_FILES, launcher=LAUNCHER)
    assert words(line).count("--verbose") == 1


@pytest.mark.parametrize("value", [True, False])
def test_an_option_that_takes_true_or_false_gets_the_word(value):
    line = command(step(options={"disable_tcmalloc": value}), TRAINING_FILES, launcher=LAUNCHER)
    assert f"--disable-tcmalloc={value}" in words(line)


def test_numactl_and_variables_come_with_the_line():
    line = command(
        step("benchmark", numactl="-C 0,1 -l", environment={"KMP_BLOCKTIME": 0}),
        INFERENCE_FILES,
        launcher=LAUNCHER,
    )
    assert line.prefix == ("numactl", "-C", "0,1", "-l")
    assert line.environment == {"KMP_BLOCKTIME": 0}


WRONG = {
    "own": (step(options={"output_dir": "/tmp/x"}), "options.output_dir (the workflow chooses"),
    "unknown-option": (step(options={"batch_sise": 1}), "did you mean batch_size?"),
    "option-value": (step(options={"batch_size": "all"}), "'all' is no whole number"),
    "not-done": (step(arguments={"do_predict": False}), "arguments.do_predict=False"),
}


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_step_is_named(wrong, message):
    found = [each for each in examine_step(wrong) if each.severity == "error"]
    assert len(found) == 1
    assert message in found[0].message


def test_every_check_of_steps_is_tested():
    assert {check.name for check in STEP_CHECKS} == WRONG.keys()


@pytest.mark.parametrize("name", RESERVED_OPTIONS)
def test_what_the_workflow_says_is_refused(name):
    assert any(each.check == "own" for each in examine_step(step(options={name: "x"})))


@pytest.mark.parametrize("name", RESERVED_ARGUMENTS)
def test_the_files_are_the_workflows(name):
    assert any(each.check == "own" for each in examine_step(step(arguments={name: "x"})))


def test_a_flag_given_a_text_is_refused():
    found = examine_step(step(options={"verbose": "yes"}))
    assert [each.check for each in found if each.severity == "error"] == ["option-value"]
