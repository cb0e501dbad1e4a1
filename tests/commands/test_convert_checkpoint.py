"""convert_checkpoint.py: four files in a folder, or one clear line and exit status 2."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, str(ROOT / "scripts/convert_checkpoint.py")]


def run(*options: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, options)], capture_output=True, text=True)


@pytest.fixture
def google(tmp_path: Path) -> Path:
    return shutil.copytree(ROOT / "tests/fixtures/tf_checkpoints/google", tmp_path / "google")


@pytest.fixture
def options(google: Path, tmp_path: Path) -> list[str | Path]:
    return [
        "--origin", "google",
        "--weights", google / "bert_model.ckpt",
        "--config", google / "bert_config.json",
        "--vocab", google / "vocab.txt",
        "--output", tmp_path / "out",
    ]  # fmt: skip


def test_a_checkpoint_becomes_a_model_folder(options: list[str | Path], tmp_path: Path) -> None:
    done = run(*options, "--layer-norm-eps", "1e-6", "--gelu", "erf", "--casing", "cased")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "BertForNextSentencePrediction, 1,690 parameters in 41 tensors" in done.stderr
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"]
    config = json.loads((tmp_path / "out/config.json").read_text())
    assert (config["layer_norm_eps"], config["hidden_act"]) == (1e-6, "gelu")


def test_the_same_checkpoint_gives_the_same_files(
    options: list[str | Path], tmp_path: Path
) -> None:
    run(*options)
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    shutil.rmtree(tmp_path / "out")
    run(*options)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == first


@pytest.mark.parametrize(
    ("removed", "message"),
    [
        ("bert_model.ckpt.index", "bert_model.ckpt.index: no such file"),
        ("bert_model.ckpt.data-00000-of-00001", "data-00000-of-00001: no such file"),
        ("bert_config.json", "bert_config.json: no such file"),
        ("vocab.txt", "vocab.txt: no such file"),
    ],
)
def test_a_missing_file_is_one_line_and_status_2(
    removed: str, message: str, options: list[str | Path], google: Path, tmp_path: Path
) -> None:
    (google / removed).unlink()
    done = run(*options)
    assert done.returncode == 2
    assert done.stderr.startswith("convert_checkpoint.py: error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert not list((tmp_path / "out").glob("*"))


def test_an_epsilon_out_of_range_is_status_2(options: list[str | Path]) -> None:
    done = run(*options, "--layer-norm-eps", "12")
    assert done.returncode == 2
    assert "argument --layer-norm-eps: 12 is not between 0 and 1" in done.stderr


def test_a_folder_is_named_by_one_option(options: list[str | Path], tmp_path: Path) -> None:
    assert run(*options).returncode == 0
    done = run("--model", tmp_path / "out", "--output", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    weights = (tmp_path / "again/model.safetensors").read_bytes()
    assert weights == (tmp_path / "out/model.safetensors").read_bytes()


def test_a_folder_and_its_parts_are_not_both_given(tmp_path: Path) -> None:
    done = run("--output", tmp_path / "out")
    assert done.returncode == 2
    assert "missing: --origin, --weights, --config, --vocab (or --model)" in done.stderr
    done = run("--model", tmp_path, "--vocab", "v.txt", "--output", tmp_path / "out")
    assert "--model names the whole folder: leave out --vocab" in done.stderr
