"""Copies of the project: one run to its end, and one in which nothing has been made."""

import shutil
from pathlib import Path

import pytest

from project import ROOT, Project, copy_project


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The default config, run to its end, once for all tests that look at it.

    A whole run of this very checkout (`make run`) is taken over as it is: it costs minutes.
    """
    project = Project(copy_project(tmp_path_factory.mktemp("demo") / "bertsquad"))
    if (ROOT / "results").is_dir() and Project(ROOT).planned() == {}:
        shutil.copytree(ROOT / "results", project.folder / "results")
        shutil.copytree(ROOT / ".snakemake/metadata", project.folder / ".snakemake/metadata")
    done = project.snakemake("--cores", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture
def fresh(tmp_path: Path) -> Project:
    """A checkout in which nothing has been made yet."""
    return Project(copy_project(tmp_path / "bertsquad"))
