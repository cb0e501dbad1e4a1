"""Checkpoints written by TensorFlow itself (tests/fixtures/make_tf_checkpoints.py)."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tf_checkpoints() -> Path:
    """The folder of small checkpoints, each with an expected.json beside it."""
    return Path(__file__).resolve().parent.parent / "fixtures/tf_checkpoints"


@pytest.fixture
def google(tf_checkpoints: Path, tmp_path: Path) -> Path:
    """A copy of Google's checkpoint, to change."""
    return shutil.copytree(tf_checkpoints / "google", tmp_path / "google")
