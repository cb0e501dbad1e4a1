"""certificate/sheets.py: what a job is to record, beside where its log will be."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bertsquad.certificate.record import Places
from bertsquad.certificate.sheets import (
    find_sheet,
    log_of,
    log_of_messages,
    read_sheet,
    sheet_beside,
    write_sheets,
)
from bertsquad.console.errors import UserError
from fake_jobs import FakeJob, FakeRule
from project import ROOT

PLACES = Places("results", "results/resources", "scripts")


def predict(log: Path) -> FakeJob:
    return FakeJob(
        FakeRule("predict", "python {input.code[0]:q} &> {log:q}"),
        [str(log)],
        {"run": "demo"},
        ["scripts/predict.py", "scripts/bertsquad/files.py", "results/demo/logits.safetensors"],
        ["results/demo/predictions.json"],
        {"options": "--n-best-size 20", "count": 3},
    )


def test_a_sheet_holds_what_snakemake_knows_of_a_job(tmp_path: Path):
    log = tmp_path / "demo/predict.log"
    write_sheets([predict(log)], PLACES, ["torch"])
    assert read_sheet(tmp_path / "demo/.predict.job.json") == {
        "rule": "predict",
        "wildcards": {"run": "demo"},
        "code": ["scripts/predict.py", "scripts/bertsquad/files.py"],
        "inputs": ["results/demo/logits.safetensors"],
        "outputs": ["results/demo/predictions.json"],
        "params": {"options": "--n-best-size 20", "count": "3"},
        "packages": ["torch"],
        "places": {"results": "results", "resources": "results/resources", "scripts": "scripts"},
    }


@pytest.mark.parametrize(
    "job",
    [
        FakeJob(FakeRule("all", None), []),
        FakeJob(FakeRule("plan", "cat {input.text:q} | tee {log:q}"), ["plan.log"]),
        FakeJob(FakeRule("doctor", "python doctor.py | tee {log:q}"), ["doctor.log"]),
    ],
    ids=lambda job: job.rule.name,
)
def test_what_only_prints_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: FakeJob):
    monkeypatch.chdir(tmp_path)
    write_sheets([job], PLACES, [])
    assert list(tmp_path.iterdir()) == []


def test_a_sheet_is_found_beside_the_file_that_messages_go_to(tmp_path: Path):
    log = tmp_path / "predict.log"
    assert find_sheet(str(log)) is None
    write_sheets([predict(log)], PLACES, [])
    assert find_sheet(str(log)) == sheet_beside(log)
    assert log_of(sheet_beside(log)) == log
    assert find_sheet(None) is None


def test_the_file_that_messages_go_to_is_known(tmp_path: Path):
    log = tmp_path / "a b.log"
    with log.open("w") as file:
        assert log_of_messages(file.fileno()) == os.path.realpath(log)
    assert log_of_messages(-1) is None


@pytest.mark.parametrize("messages", [subprocess.PIPE, subprocess.DEVNULL])
def test_a_terminal_a_pipe_and_nothing_are_no_file(messages: int):
    program = "from bertsquad.certificate.sheets import *; print(log_of_messages())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "scripts")},
        stdout=subprocess.PIPE,
        stderr=messages,
        text=True,
    )
    assert done.stdout == "None\n"


@pytest.mark.parametrize("text", ["", "{", "{}"])
def test_a_damaged_sheet_is_refused(tmp_path: Path, text: str):
    (tmp_path / ".x.job.json").write_text(text)
    with pytest.raises(UserError, match=r"^/.*job\.json: "):
        read_sheet(tmp_path / ".x.job.json")


def rules() -> dict[str, str]:
    """The text of each rule, by its name."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "rules").glob("*.smk")):
        parts = re.split(r"^rule (\w+):", path.read_text(encoding="utf-8"), flags=re.M)
        found |= dict(zip(parts[1::2], parts[2::2], strict=True))
    return found


RULES = rules()
MAKES = sorted(name for name, text in RULES.items() if "output:" in text and "shell:" in text)


def test_the_rules_that_make_something_are_found():
    assert {"finetune", "benchmark_inference", "download", "report"} <= set(MAKES)


@pytest.mark.parametrize("rule", MAKES)
def test_each_step_that_makes_something_finds_its_sheet(rule: str):
    """Its command is one of scripts/, whose messages go to the log."""
    shell = RULES[rule].partition("shell:")[2]
    assert '"python {' in shell
    assert re.search(r"> \{log\b", shell)
