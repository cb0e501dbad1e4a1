"""A copy of the project to run, edit and break."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = ("Snakefile", "rules", "scripts", "config", "profiles", "report")
SNAKEMAKE = Path(sys.executable).parent / "snakemake"


@dataclass
class Project:
    """A checkout in a folder of its own."""

    folder: Path

    def start(self, *arguments: str, cwd: Path | None = None) -> subprocess.Popen:
        """Start Snakemake as a user would: without an activated environment."""
        environment = {
            key: value
            for key, value in os.environ.items()
            if key not in ("VIRTUAL_ENV", "PYTHONPATH", "SNAKEMAKE_PROFILE")
        }
        return subprocess.Popen(
            [str(SNAKEMAKE), *arguments],
            cwd=cwd or self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def snakemake(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess:
        """Run Snakemake to its end."""
        process = self.start(*arguments, cwd=cwd)
        stdout, stderr = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def planned(self, *arguments: str) -> dict[str, int]:
        """How many jobs of each rule a run would start now."""
        done = self.snakemake("-n", *arguments)
        assert done.returncode == 0, done.stderr + done.stdout
        table = re.search(
            r"^job +count\n-+ +-+\n(.*?)^total", done.stderr + done.stdout, re.M | re.S
        )
        if table is None:
            assert "Nothing to be done" in done.stderr + done.stdout
            return {}
        rows = (line.split() for line in table[1].splitlines() if line.strip())
        return {rule: int(count) for rule, count in rows if rule != "all"}


def copy_project(folder: Path) -> Path:
    """Everything that a run needs, without results."""
    folder.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return folder


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
