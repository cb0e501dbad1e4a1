"""Kills at random moments of training, writing, downloading and unzipping lose and change nothing.

The moments are drawn from a seed; KILLS=100 (`make kills`) asks for more of them than the usual 16.
"""

import os
import random
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from file_server import running
from tiny_bert import write_model_folder
from tiny_training import write_training_features

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
KILLER = ROOT / "tests/kill_at_line.py"
KILLS = int(os.environ.get("KILLS", "16"))
SEED = int(os.environ.get("KILLS_SEED", "0"))
TIMES = ("tokens_per_second", "elapsed_s")
CONTENT = random.Random(1).randbytes(700_000)


class Work:
    """A command, run as often as one likes in a folder of its own each time."""

    def __init__(self, script: str, options: list[object]) -> None:
        self.command = [f"{ROOT}/scripts/{script}", *map(str, options)]

    def run(self, folder: Path, line: int) -> int:
        """Its status; `line` is where it is killed, 0 for never."""
        folder.mkdir(exist_ok=True)
        done = subprocess.run(
            [sys.executable, KILLER, str(line), folder.parent / "count", *self.command],
            cwd=folder,
            env=os.environ | {"NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr[-2000:]
        return done.returncode


def training(folder: Path) -> Work:
    checkpoint = write_model_folder(folder / "checkpoint", spread=0.1)
    features = write_training_features(folder / "features", checkpoint)
    options = [
        *("--checkpoint", checkpoint, "--features", features, "--output", "out"),
        *("--log", "log.jsonl", "--state", "state", "--precision", "fp32", "--epochs", 5),
        *("--batch-size", 6, "--learning-rate", "1.0e-3", "--micro-batch-tokens", 64),
        *("--threads", 1, "--checkpoint-steps", 3),
    ]
    return Work("finetune.py", options)


def writing(_: Path) -> Work:
    google = ROOT / "tests/fixtures/tf_checkpoints/google"
    options = [
        *("--origin", "google", "--weights", google / "bert_model.ckpt"),
        *("--config", google / "bert_config.json", "--vocab", google / "vocab.txt"),
        *("--output", "out", "--casing", "cased"),
    ]
    return Work("convert_checkpoint.py", options)


def unzipping(folder: Path) -> Work:
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights", CONTENT)
    return Work(
        "unzip.py",
        ["--archive", folder / "a.zip", "--member", "weights", "--output", "out/weights"],
    )


@pytest.fixture
def server():
    with running() as server:
        server.serve("/weights", CONTENT)
        yield server


def contents(folder: Path) -> dict[str, bytes]:
    """What a folder holds, by path, without the times that a log tells."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith(".guard"):
            data = path.read_bytes()
            if path.name == "log.jsonl":
                data = b"".join(
                    line.partition(b'"tokens_per_second"')[0] for line in data.split(b"\n")
                )
            found[str(path.relative_to(folder))] = data
    return found


def published(folder: Path) -> dict[str, bytes]:
    """The same without hidden files and the state, which are no results."""
    return {
        name: data
        for name, data in contents(folder).items()
        if not name.startswith("state/") and not Path(name).name.startswith(".")
    }


def check(work: Work, folder: Path, kills: int) -> None:
    """Kill, look, go on; now and then to the end, where all must be as if nothing had happened."""
    assert work.run(folder / "expected", 0) == 0
    expected = contents(folder / "expected")
    lines = int((folder / "count").read_text())
    rng = random.Random(SEED)
    killed = 0
    tried = folder / "killed"
    for number in range(1, kills + 1):
        killed += work.run(tried, rng.randint(1, lines)) != 0
        for name, data in published(tried).items():
            assert data == expected[name], f"half a {name}, or another one, after kill {number}"
        if number % 3 == 0 or number == kills:
            assert work.run(tried, 0) == 0
            assert contents(tried) == expected, f"another outcome after kill {number}"
            if rng.random() < 0.5:  # else the next kills meet finished outputs
                for path in tried.rglob("*"):
                    if path.is_file():
                        path.unlink()
    assert killed > kills / 2


@pytest.mark.parametrize("make", [training, writing, unzipping])
def test_kills_at_random_moments_lose_and_change_nothing(make, tmp_path):
    check(make(tmp_path), tmp_path, max(1, KILLS // 4))


def test_kills_of_a_download_lose_and_change_nothing(server, tmp_path):
    options = ["--url", f"{server.url}/weights", "--output", "out/weights", "--lock", "lock.json"]
    check(Work("download.py", options), tmp_path, max(1, KILLS // 4))
