"""`snakemake comparisons` and `snakemake noise`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import Project

PAIR = "comparisons={'bf16': {'a': {'precision': 'bf16'}, 'b': {'precision': 'fp32'}}}"


def test_a_pair_is_measured_in_one_job_with_the_noise_floor_beside_it(fresh):
    planned = fresh.planned("comparisons", "--config", PAIR)
    wanted = {"compare_speed": 1, "noise": 1, "show_comparisons": 1, "comparisons": 1}
    assert planned.items() >= wanted.items()
    assert planned["finetune"] == 1  # of the run that is compared, and of no other


def test_the_report_asks_for_what_is_configured_and_for_nothing_else(fresh):
    assert "compare_speed" not in fresh.planned()
    with_pair = fresh.planned("--config", PAIR)
    assert with_pair["compare_speed"] == 1
    assert with_pair["plot"] == fresh.planned()["plot"] + 1


def test_noise_is_measured_whatever_the_config_and_nothing_downloaded(fresh):
    asked = ("noise", "--configfile", "config/minilm.yaml", "--config", "offline=True")
    assert fresh.planned(*asked) == {"noise": 1}


def test_without_any_it_is_said_how_to_name_one(fresh):
    done = fresh.snakemake("comparisons", "--cores", "1")
    assert done.returncode == 0, done.stderr
    assert "no comparisons: name pairs of cells under `comparisons`" in done.stdout


def test_a_side_that_is_no_cell_is_refused_before_the_first_job(fresh):
    wrong = PAIR.replace("fp32", "int8")
    done = fresh.snakemake("-n", "comparisons", "--config", wrong)
    assert done.returncode == 2
    assert "comparisons.bf16.b.precision: found 'int8', expected one of" in done.stderr


@pytest.mark.slow
def test_the_verdict_is_printed_and_in_the_report(demo: Project, tmp_path: Path):
    """Turns are short, so that the verdict is soon there, whichever it is."""
    # Others look at the demo as its own configuration made it.
    copy = Project(shutil.copytree(demo.folder, tmp_path / "bertsquad", symlinks=True))
    # A noise floor of two rounds is measured before; the rule's own takes five minutes.
    short_noise = ("--rounds", "2", "--turn-seconds", "0.01", "--quiet-seconds", "0")
    noise = copy.folder / "results/noise.json"
    subprocess.run(
        [sys.executable, copy.folder / "scripts/noise.py", *short_noise, "--output", noise],
        check=True,
        capture_output=True,
    )
    short = PAIR.replace("}}}", "}, 'turn_seconds': 0.01, 'looks': [8]}}")
    done = copy.snakemake("comparisons", "results/report.html", "--cores", "all", "--config", short)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "torch bf16  torch fp32" in done.stdout
    assert "noise floor of this machine: " in done.stdout
    found = json.loads((copy.folder / "results/comparisons/bf16.json").read_text())
    assert found["name"] == "bf16"
    page = (copy.folder / "results/report.html").read_text()
    assert '<section id="comparisons">' in page
    assert "Who is faster, and how sure that is." in page
