"""CONTRIBUTING.md, "A new hyperparameter", walked in a copy: a field, and the line that uses it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import ROOT, Project

FIELD = """    label_smoothing: float = _about(
        0.25, "Share of the target spread over all tokens.", unit="the target", at_least=0, below=1
    )
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project with one more hyperparameter, used in the loop."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("scripts", "rules", "config", "report"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    replace(
        folder / "scripts/bertsquad/training/hyperparameters.py",
        "\n    @property\n    def dropout(",
        f"{FIELD}\n    @property\n    def dropout(",
    )
    replace(
        folder / "scripts/bertsquad/training/loop.py",
        "    model.train()\n",
        '    model.train()\n    announce(f"smoothing {hyperparameters.label_smoothing}")\n',
    )
    return folder


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def run(project: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command],
        **{"cwd": project, "capture_output": True, "text": True, "timeout": 120, "check": False},
    )


def test_it_is_an_option(project):
    shown = run(project, "scripts/finetune.py", "--help")
    assert "--label-smoothing NUMBER" in shown.stdout
    assert "Share of the target spread over all tokens. (number of the target, 0 ≤ x < 1;" in (
        " ".join(shown.stdout.split())
    )
    refused = run(project, "scripts/finetune.py", "--label-smoothing=1")
    assert "--label-smoothing: 1: expected number of the target, 0 ≤ x < 1" in refused.stderr
    assert refused.returncode == 2


def planned(project: Path, *settings: str) -> subprocess.CompletedProcess:
    """`snakemake -n` of one model, with these keys in its run."""
    (project / "mine.yaml").write_text(
        "\n".join(
            [
                "{checkpoint: synthetic, dataset: synthetic, demo: true, runs: {mine: {",
                ", ".join(settings),
                "}}}\n",
            ]
        )
    )
    options = ("--configfile", "mine.yaml", "--cores", "1", "-n", "--printshellcmds")
    return Project(project).snakemake("results/mine/model/config.json", *options)


def test_it_is_a_key_of_a_run_and_has_its_default(project):
    assert "--label-smoothing 0.25" in planned(project).stdout
    assert "--label-smoothing 0.5" in planned(project, "label_smoothing: 0.5").stdout
    assert "runs.mine.label_smoothing: 2 is greater than or equal to the maximum of 1" in (
        planned(project, "label_smoothing: 2").stderr
    )


def test_it_is_in_the_table(project):
    written = run(project, "scripts/document_config.py", "config/README.md")
    assert written.returncode == 0, written.stderr
    assert (
        "| `label_smoothing` | Share of the target spread over all tokens. "
        "| number of the target, 0 ≤ x < 1 | `0.25` |\n"
    ) in (project / "config/README.md").read_text(encoding="utf-8")
