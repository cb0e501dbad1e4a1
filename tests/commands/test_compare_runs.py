"""compare_runs.py: two runs by their folders, certificates or crates."""

import shutil

import pytest

from made_runs import MODEL, results


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A run, and a copy of it with a flipped byte."""
    folder = tmp_path_factory.mktemp("runs")
    first = results(folder / "a/results")
    second = shutil.copytree(first, folder / "b/results")
    path = second / MODEL / "predictions.json"
    path.write_bytes(path.read_bytes().replace(b"word 7", b"word 8", 1))
    return first, second
