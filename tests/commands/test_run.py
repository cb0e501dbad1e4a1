"""run.py calls Snakemake with targets and options in whatever order they were given."""

import subprocess
import sys
from pathlib import Path

import pytest

from project import ROOT
from run import SNAKEFILE, call, parse_args

QUIET = ["--quiet", "host", "reason", "rules"]


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ([], ["--cores", "all", *QUIET]),
        (
            ["--configfile", "my.yaml", "report"],
            ["report", "--cores", "all", *QUIET, "--configfile", "my.yaml"],
        ),
        (
            ["plan", "--cores", "3", "-n", "report", "--config", "offline=True"],
            [
                *("plan", "report", "--cores", "3", "--dry-run", *QUIET),
                *("--config", "offline=True"),
            ],
        ),
        (
            ["report", "--configfile", "a.yaml", "--configfile", "b.yaml", "--", "--keep-going"],
            [
                *("report", "--cores", "all", *QUIET),
                *("--configfile", "a.yaml", "b.yaml", "--keep-going"),
            ],
        ),
    ],
)
def test_targets_come_first(monkeypatch, given, called):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["run.py", *given])
    assert call(*parse_args()) == called


def test_elsewhere_the_snakefile_is_named(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["run.py", "report"])
    assert call(*parse_args())[:5] == ["report", "--cores", "all", "--snakefile", str(SNAKEFILE)]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts/run.py"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--configfile", "none.yaml", "report"), "none.yaml: no such file"),
        (("report", "--dryrun"), "no option --dryrun; did you mean --dry-run?"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, arguments, said):
    done = run(tmp_path, *arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("run.py: error: ")
    assert said in line
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_of_a_target_behind_a_configuration_is_short(tmp_path):
    config = str(ROOT / "config/guide.yaml")
    done = run(tmp_path, "--configfile", config, "models", "-n")
    assert done.returncode == 0, done.stderr
    said = (done.stdout + done.stderr).splitlines()
    assert done.stderr.startswith("snakemake models --cores all ")
    assert any(line.split() == ["finetune", "4"] for line in said)
    assert any(" steps to do, about " in line for line in said)
    assert len(said) < 50
