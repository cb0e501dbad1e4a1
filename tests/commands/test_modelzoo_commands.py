"""modelzoo_command.py, read_modelzoo_log.py and unpack_modelzoo.py."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from modelzoo.guide import INFERENCE, TRAINING, here
from modelzoo.test_log import BENCHMARK

ROOT = Path(__file__).resolve().parent.parent.parent


def run(script: str, *options: str, **more) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / f"scripts/{script}.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, **more)


@pytest.mark.parametrize("text", [TRAINING, INFERENCE], ids=["training", "inference"])
def test_the_guides_command_is_explained(text, golden):
    done = run("modelzoo_command", "--line", text.replace("\\\n", " "))
    assert done.returncode == 0, done.stderr
    shown = done.stdout.replace("\\\n", " ").split()
    captured = golden["launcher_v1.6.1"]
    key = "guide_training_argv" if text == TRAINING else next(k for k in captured if "prefix" in k)
    assert set(here(captured[key])) <= set(shown)
    assert "# error: PYTHONPATH lacks /tmp/models/benchmarks" in done.stdout


def test_a_variable_in_front_of_the_command_counts():
    text = "PYTHONPATH=/tmp/models/benchmarks data_dir=/x " + INFERENCE.replace("\\\n", " ")
    done = run("modelzoo_command", "--line", text, env=dict(os.environ))
    assert "PYTHONPATH lacks" not in done.stdout
    assert "the variable data_dir=/x is set" in done.stdout


def test_what_is_no_call_of_the_launcher_is_one_line():
    done = run("modelzoo_command", "--line", "python3 run_squad.py")
    assert done.returncode == 2
    assert done.stderr.startswith("modelzoo_command.py: error: not a call of launch_benchmark.py")


def test_a_log_becomes_a_cell(tmp_path):
    (tmp_path / "launcher.log").write_text(BENCHMARK)
    settings = {"mode": "benchmark", "batch_size": 32, "precision": "bf16"}
    arrivals = {"examples": [960], "seconds": [1.0]}
    about = {"settings": settings, "surroundings": {"cpu": "Example"}, "arrivals": arrivals}
    (tmp_path / "run.json").write_text(json.dumps(about))
    done = run(
        "read_modelzoo_log",
        *("--log", str(tmp_path / "launcher.log"), "--run", str(tmp_path / "run.json")),
        *("--output", str(tmp_path / "result.json")),
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["features_per_second"] == pytest.approx(768 / 985.123456)
    assert result["cpu"] == "Example"


def archive(folder: Path, *names: str) -> Path:
    path = folder / "models-1.6.1.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name in names:
            made.writestr(f"models-1.6.1/{name}", name)
    return path


NEEDED = (
    "benchmarks/launch_benchmark.py",
    "benchmarks/common/tensorflow/start.sh",
    "benchmarks/language_modeling/tensorflow/bert_large/training/fp32/config.json",
    "models/language_modeling/tensorflow/bert_large/training/fp32/run_squad.py",
    "LICENSE",
)


def test_only_what_bert_large_needs_is_unpacked(tmp_path):
    others = ("benchmarks/image_recognition/x.py", "models/recommendation/y.py", "README.md")
    path = archive(tmp_path, *NEEDED, *others)
    done = run("unpack_modelzoo", "--archive", str(path), "--output", str(tmp_path / "zoo"))
    assert done.returncode == 0, done.stderr
    made = [str(p.relative_to(tmp_path / "zoo")) for p in (tmp_path / "zoo").rglob("*.*")]
    assert sorted(made) == sorted(name for name in NEEDED if "." in name)
    assert (tmp_path / "zoo/LICENSE").is_file()


def test_another_archive_is_one_line(tmp_path):
    path = archive(tmp_path, "README.md")
    done = run("unpack_modelzoo", "--archive", str(path), "--output", str(tmp_path / "zoo"))
    assert done.returncode == 2
    assert "no benchmarks/launch_benchmark.py" in done.stderr


def test_a_damaged_archive_is_one_line(tmp_path):
    path = tmp_path / "models-1.6.1.zip"
    path.write_bytes(b"PK\3\4 not a zip")
    done = run("unpack_modelzoo", "--archive", str(path), "--output", str(tmp_path / "zoo"))
    assert done.returncode == 2
    assert "not a whole zip archive" in done.stderr
