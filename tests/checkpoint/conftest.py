"""Checkpoints written by TensorFlow itself (tests/fixtures/make_tf_checkpoints.py)."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tf_checkpoints() -> Path:
    """The folder of small checkpoints, each with an expected.json beside it."""
    return Path(__file__).resolve().parent.parent / "fixtures/tf_checkpoints"
