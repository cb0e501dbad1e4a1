"""A model's folder, a hub's model and files of questions, named where a configuration uses them."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from bertsquad.artifacts.catalogue import load_catalogue
from bertsquad.console.errors import UserError
from bertsquad.experiment.config import resolve
from bertsquad.experiment.files import Experiment
from bertsquad.experiment.names import name_of
from bertsquad.experiment.needs import weights_bytes
from bertsquad.experiment.negatives import Negatives
from project import ROOT
from tiny_bert import write_model_folder

SCHEMA = ROOT / "config/schemas/config.schema.yaml"
FOLDER = (
    "{checkpoint: {folder: models/mine}, dataset: {dev: data/dev.json}, runs: {a: {epochs: 0}}}"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a model and questions."""
    write_model_folder(tmp_path / "models/mine")
    (tmp_path / "data").mkdir()
    for name in ("dev.json", "train.json", "evaluate-v1.1.py"):
        (tmp_path / "data" / name).write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def resolved(text: str) -> dict:
    return resolve(yaml.safe_load(text), SCHEMA, "my.yaml")


def experiment(text: str) -> Experiment:
    config = resolved(text)
    catalogue = load_catalogue(
        ROOT / "config/artifacts.yaml", config["artifacts"], source="my.yaml"
    )

    def place(path: str) -> str:
        return path.replace("<resources>", "r/s").replace("<results>", "r")

    made = Experiment(config, catalogue, place)
    made.check("my.yaml")
    return made


def test_a_folder_and_a_file_are_enough():
    config = resolved(FOLDER)
    assert (config["checkpoint"], config["dataset"]) == ("models-mine", "data-dev")
    # What the run does not say is the model's own: its head, its positions.
    assert config["runs"]["a"]["head_init"] == "checkpoint"
    mine = experiment(FOLDER)
    assert mine.checkpoint_files("models-mine") == [
        *("models/mine/config.json", "models/mine/vocab.txt", "models/mine/model.safetensors"),
        "models/mine/tokenizer_config.json",
    ]
    assert mine.checkpoint_options("models-mine") == "--model models/mine"
    assert mine.local_source("data-dev-dev.json") == ["data/dev.json"]
    assert mine.identity("data-dev-dev.json") == ""  # it may change, and is then read anew
    assert mine.features_file("a", "dev") == (
        "r/s/features/data-dev-dev/models-mine-length40-stride128-query17.safetensors"
    )
    assert (mine.training_features("a"), mine.training_features_option("a")) == ([], "")
    assert mine.artifact_names() == ["data-dev-dev.json"]
    assert mine.folders() == ["r", "r/s", "downloads", "data", "models/mine"]
    assert weights_bytes(mine, "a") == Path("models/mine/model.safetensors").stat().st_size
    assert mine.announcement() == ("", True)


def test_what_a_run_says_comes_first():
    text = FOLDER.replace("epochs: 0", "epochs: 0, head_init: normal, max_seq_length: 100")
    run = resolved(text)["runs"]["a"]
    assert (run["head_init"], run["max_seq_length"]) == ("normal", 100)


def test_training_needs_training_questions():
    trained = FOLDER.replace("epochs: 0", "threads: 1")
    with pytest.raises(UserError) as caught:
        experiment(trained)
    assert str(caught.value) == (
        "my.yaml: runs.a: epochs is 2, and the dataset data-dev has no training questions; add "
        "train to it, or write epochs: 0 to take the checkpoint as it is"
    )
    both = trained.replace("dev: data/dev.json", "dev: data/dev.json, train: data/train.json")
    mine = experiment(both)
    assert mine.config["runs"]["a"]["head_init"] == "normal"
    assert mine.training_features_option("a").startswith("--features r/s/features/data-dev-train/")


def test_int8_that_is_calibrated_needs_training_questions():
    text = FOLDER
    with pytest.raises(UserError, match="openvino calibrates int8 on training questions"):
        experiment(text[:-1] + ", engines: {openvino: [int8]}}")
    assert experiment(text[:-1] + ", engines: {onnxruntime: [int8]}}")


def test_an_evaluator_is_a_file_too():
    text = FOLDER.replace(
        "dev: data/dev.json", "dev: data/dev.json, evaluator: data/evaluate-v1.1.py"
    )
    mine = experiment(text)
    assert mine.official_option("a") == "--official-script r/s/downloads/data-dev-evaluate.py"


def test_files_may_have_addresses():
    text = FOLDER.replace("data/dev.json", "https://example.org/dev.json")
    config = resolved(text.replace("dev:", "name: remote, dev:"))
    artifact = config["artifacts"]["artifacts"]["remote-dev.json"]
    assert artifact == {"urls": ["https://example.org/dev.json"]}


def test_a_model_of_a_hub_is_fetched_and_then_a_folder(folder: Path):
    text = """
    checkpoint: {hub: org/mine, revision: v2, license: MIT}
    dataset: {dev: data/dev.json}
    runs: {a: {epochs: 0}, b: {epochs: 0, checkpoint: {folder: models/mine}}}
    """
    mine = experiment(text)
    assert [each.name for each in mine.model_folders()] == ["org-mine-v2", "models-mine"]
    assert mine.checkpoint_files("org-mine-v2") == ["r/s/hub/org-mine-v2/fetched.json"]
    assert mine.checkpoint_options("org-mine-v2") == "--model r/s/hub/org-mine-v2"
    assert mine.hub_identity("org-mine-v2") == "--hub org/mine --revision v2"
    assert mine.hub_source("org-mine-v2") == (
        "--address https://huggingface.co --lock config/artifacts.lock.json "
        "--drop-folder downloads/org-mine-v2"
    )
    line, possible = mine.announcement()
    assert possible
    assert line.startswith(
        "3 files to download and store and 3 of unknown size: org-mine-v2/config"
    )
    known = json.loads(mine.models_option().removeprefix("--models ").strip("'"))
    assert known["org-mine-v2"]["license"] == "MIT"
    assert known["models-mine"]["url"] == "file:models/mine"
    assert weights_bytes(mine, "a") is None


def test_offline_the_files_of_a_hub_are_named_with_their_place(folder: Path):
    text = FOLDER.replace("{folder: models/mine}", "{hub: org/mine}")[:-1] + ", offline: true}"
    line, possible = experiment(text).announcement()
    assert not possible
    url = "https://huggingface.co/org/mine/resolve/main"
    assert line.splitlines()[1:] == [
        f"- org-mine/config.json from {url}/config.json",
        f"- org-mine/vocab.txt from {url}/vocab.txt",
        f"- org-mine/model.safetensors from {url}/model.safetensors",
    ]
    shutil.copytree("models/mine", "downloads/org-mine")
    assert experiment(text).announcement() == ("", True)


MISTAKES = {
    "nothing is said": (
        "{checkpoint: {}, dataset: {}}",
        "my.yaml: missing keys runs, checkpoint.folder, dataset.dev; add them",
    ),
    "both": (
        FOLDER.replace("folder: models/mine", "folder: models/mine, hub: a/b"),
        "checkpoint: has folder and hub; expected one of the two",
    ),
    "a revision of a folder": (
        FOLDER.replace("folder: models/mine", "folder: models/mine, revision: main"),
        "checkpoint.revision: belongs to a model of a hub",
    ),
    "no such folder": (
        FOLDER.replace("models/mine", "models/main"),
        "checkpoint.folder: models/main: no such folder; expected a model's folder with config",
    ),
    "no such file": (
        FOLDER.replace("data/dev.json", "data/dve.json"),
        "dataset.dev: data/dve.json: no such file; expected a file in SQuAD's format",
    ),
    "a folder for a file": (
        FOLDER.replace("data/dev.json", "data"),
        "dataset.dev: data: is a folder; expected a file",
    ),
    "a misspelt key": (
        FOLDER.replace("{dev:", "{validation:"),
        "dataset: unknown key 'validation'",
    ),
    "an odd hub": (
        FOLDER.replace("{folder: models/mine}", "{hub: https://huggingface.co/a/b}"),
        "checkpoint.hub: found 'https://huggingface.co/a/b', expected: A model of a hub, organis",
    ),
    "braces": (
        FOLDER.replace("data/dev.json", "'data/{dev}.json'"),
        "expected a name without braces",
    ),
    "two by one name": (
        "{checkpoint: {folder: models/mine, name: x}, dataset: {dev: data/dev.json}, "
        "runs: {a: {checkpoint: {hub: org/x, name: x}}}}",
        "runs.a.checkpoint: its name would be 'x', as that of another one; give it a name",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(text: str, message: str):
    with pytest.raises(UserError) as caught:
        resolved(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("my.yaml: ")
    assert "\n" not in str(caught.value)


def test_the_name_of_a_shipped_checkpoint_is_taken():
    shutil.move("models/mine", "minilm")
    with pytest.raises(UserError, match="minilm is the name of a checkpoint of artif"):
        experiment(FOLDER.replace("models/mine", "minilm"))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("models/mine", "models-mine"),
        ("./models//mine/", "models-mine"),
        ("../other/My model (1)", "other-My-model-1"),
        ("größe", "gr-e"),
        ("a" * 90, "own-"),
        ("模型", "own-"),
        (".", "own-"),
    ],
)
def test_a_name_comes_from_the_path(path: str, name: str):
    made = name_of(path)
    assert made == name if name != "own-" else made.startswith(name)
    assert len(made) <= 60


def test_paths_in_the_working_directory_have_one_name_however_they_are_written(folder: Path):
    assert name_of(str(folder / "models/mine")) == "models-mine"


def test_questions_may_have_no_answer():
    text = FOLDER.replace("dev: data/dev.json", "dev: data/dev.json, version_2_with_negative: true")
    mine = experiment(text)
    assert mine.catalogue.dataset("data-dev").version_2_with_negative
    assert not experiment(FOLDER).catalogue.dataset("data-dev").version_2_with_negative
    assert Negatives(mine).scoring_option("a") == "--version-2-with-negative"
