"""finetune.py started a second time while it runs: one training, and both end well."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tiny_bert import write_model_folder
from tiny_training import write_training_features

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/finetune.py"
MODEL = ("config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt")


def start(checkpoint, features, folder, **options):
    values = {
        "checkpoint": checkpoint,
        "features": features,
        "output": folder / "model",
        "log": folder / "training_log.jsonl",
        "state": folder / "state",
        **{"precision": "fp32", "epochs": 100, "batch-size": 6, "threads": 1},  # 400 steps
        **options,
    }
    command = [sys.executable, SCRIPT, *(f"--{name}={value}" for name, value in values.items())]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_the_second_joins_the_first_and_training_is_done_once(tmp_path):
    checkpoint = write_model_folder(tmp_path / "checkpoint", spread=0.1)
    features = write_training_features(tmp_path / "train", checkpoint)
    folder = tmp_path / "run"
    alone = start(checkpoint, features, tmp_path / "alone")
    assert alone.communicate()[1] is not None
    first = start(checkpoint, features, folder)
    while not (folder / "state/lock").exists():
        assert first.poll() is None
        time.sleep(0.01)
    second = start(checkpoint, features, folder)
    said = [process.communicate()[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert "400 of 400 steps" in said[0]
    assert f"process {first.pid} on " in said[1]
    assert "taken over" in said[1]
    assert "steps of 6" not in said[1]
    assert sorted(path.name for path in folder.iterdir()) == ["model", "training_log.jsonl"]
    for name in MODEL:
        expected = (tmp_path / "alone/model" / name).read_bytes()
        assert (folder / "model" / name).read_bytes() == expected, name
