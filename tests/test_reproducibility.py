"""docs/reproducibility.md: its commands are run, what it lists is what the code has."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bertsquad.certificate.exports.table import EXPORTS
from bertsquad.certificate.manifest import class_of
from bertsquad.certificate.schema import DOUBTS
from fake_run import make_run
from project import ROOT

PAGE = (ROOT / "docs/reproducibility.md").read_text(encoding="utf-8")
UNZIP = (
    "unzip -q bertsquad-*.zip -d theirs && (cd theirs && sha256sum --quiet -c manifest-sha256.txt)"
)
VERIFY = ".venv/bin/python scripts/verify_crate.py bertsquad-*.zip --scores"
COMPARE = "make compare A=theirs/data/results B=results"
HERE = (UNZIP, VERIFY, COMPARE)  # run below, on a made-up run
ELSEWHERE = {
    ".venv/bin/snakemake crate --cores all --configfile my.yaml": (
        "tests/workflow/test_examples.py plans it"
    ),
    ".venv/bin/snakemake certify --cores all --configfile my.yaml": (
        "tests/workflow/test_examples.py plans it"
    ),
    ".venv/bin/snakemake exports --cores all --configfile my.yaml": (
        "tests/workflow/test_exports.py"
    ),
    ".venv/bin/snakemake verify_cells --cores all --config verify=their/cells.json": (
        "tests/workflow/test_exports.py"
    ),
    "make -C theirs run": "it installs an environment of its own, 2 GB",
    "make -C theirs compare": "it compares what the line before made",
}


def commands() -> list[str]:
    return [line.strip() for line in PAGE.splitlines() if line.startswith("    ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with a crate that was sent and results of one's own, as a checkout."""
    run = make_run(tmp_path_factory.mktemp("sent"))
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(run.crate(), folder)
    shutil.copytree(run.results, folder / "results")
    (folder / "scripts").symlink_to(ROOT / "scripts")
    (folder / "Makefile").symlink_to(ROOT / "Makefile")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def call(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=120
    )


def test_every_command_of_the_page_is_run_or_says_why_not():
    assert sorted(commands()) == sorted((*HERE, *ELSEWHERE))


def test_a_crate_is_checked_by_unzip_and_sha256sum_alone(folder):
    if shutil.which("unzip") is None:
        pytest.skip("unzip is not installed")
    assert call(UNZIP, folder).returncode == 0
    path = folder / "theirs/data/results/small/torch-fp32/predictions.json"
    good = path.read_bytes()
    path.write_bytes(good.replace(b"6650", b"6651"))
    changed = call(UNZIP.partition("&& ")[2], folder)
    path.write_bytes(good)
    assert changed.returncode != 0
    assert "data/results/small/torch-fp32/predictions.json: FAILED" in changed.stdout


def test_a_crate_is_verified_in_depth(folder):
    done = call(VERIFY, folder)
    assert done.returncode == 0, done.stderr
    assert "scores: 1 computed again and equal" in done.stdout
    assert done.stdout.endswith(": verified\n")


def test_two_runs_are_compared(folder):
    if not (folder / "theirs").exists():
        unpack = VERIFY.replace("--scores", "--unpack theirs")
        assert call(unpack, folder).returncode == 0
    # The environment is here: it is not made again.
    done = call(f"make --old-file .venv/.run {COMPARE.removeprefix('make ')}", folder)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    found = json.loads((folder / "compare.json").read_text())
    assert found["verdicts"]["inputs"]["verdict"] == "same"
    assert found["verdicts"]["settings"]["verdict"] == "same"
    assert (folder / "compare.html").is_file()


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_every_doubt_is_explained():
    assert [name.strip("`") for name, *_ in rows("What a doubt means")] == list(DOUBTS)


def test_every_export_has_its_row():
    named = {re.match(r"`results/exports/(\w+)/", cells[0])[1] for cells in rows("For other tools")}
    assert named == set(EXPORTS)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a/model/model.safetensors", "exact"),
        ("a/torch-fp32/predictions.json", "exact"),
        ("a/torch-fp32/metrics.json", "exact"),
        ("figures/accuracy.svg", "exact"),
        ("a/torch-fp32/benchmark/x/batch1-threads2-repeat1.json", "timed"),
        ("machine.json", "timed"),
        ("summary.csv", "timed"),
        ("report.html", "timed"),
        ("figures/latency.svg", "timed"),
        ("exports/markdown/tables.md", "timed"),
        ("verified_cells.json", "timed"),
        ("logs/a/finetune.log", "log"),
    ],
)
def test_files_are_in_the_classes_that_the_page_names(name, kind):
    assert class_of(name) == kind
