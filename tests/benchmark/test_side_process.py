"""A contender as a process of its own."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bertsquad.benchmark import side_process as process
from bertsquad.benchmark.side_process import SideFailed, SideProcess

ANSWERS = """
import json, sys
print(json.dumps({"check": [1.0]}), flush=True)
for number, line in enumerate(sys.stdin):
    print(json.dumps({"seconds": 0.5, "features": number}), flush=True)
"""
ENDS = """
import sys
print("loading", file=sys.stderr)
sys.exit("no such library")
"""
ENDS_LATER = """
import json, sys
print(json.dumps({}), flush=True)
sys.stdin.readline()
sys.exit("out of memory")
"""
SILENT = "import time; time.sleep(60)"


@pytest.fixture
def started(tmp_path: Path) -> Iterator:
    """Starts processes with a program each, and ends them."""
    processes = []

    def start(program: str) -> SideProcess:
        command = [sys.executable, "-c", program]
        processes.append(
            SideProcess("the contender", command, os.environ, tmp_path / "logs/contender.log")
        )
        return processes[-1]

    yield start
    for one in processes:
        one.close()


def state(pid: int) -> str:
    """The letter of proc(5): T is stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_it_answers_when_ready_and_after_each_run(started):
    contender = started(ANSWERS)
    assert contender.ready() == {"check": [1.0]}
    assert contender.run() == {"seconds": 0.5, "features": 0}
    assert contender.run() == {"seconds": 0.5, "features": 1}


def test_it_is_stopped_before_and_between_its_runs(started):
    contender = started(ANSWERS)
    contender.ready()
    assert state(contender.process.pid) == "T"
    contender.run()
    assert state(contender.process.pid) == "T"


def test_one_that_cannot_load_is_named_with_the_last_line_of_its_log(started):
    with pytest.raises(
        SideFailed, match="the contender: ended with exit status 1; no such library"
    ):
        started(ENDS).ready()


def test_one_that_ends_in_a_run_is_named(started):
    contender = started(ENDS_LATER)
    contender.ready()
    with pytest.raises(SideFailed, match="the contender: ended with exit status 1; out of memory"):
        contender.run()


def test_one_that_does_not_answer_is_given_up(started, monkeypatch):
    monkeypatch.setattr(process, "READY_TIMEOUT_S", 0.05)
    silent = started(SILENT)
    with pytest.raises(SideFailed, match=r"no answer in 0\.05 s; it wrote nothing"):
        silent.ready()
    assert silent.process.wait(5) == -9  # others may still be measured: it computes no more


def test_closing_ends_a_stopped_process(started):
    contender = started(ANSWERS)
    contender.ready()
    contender.close()
    assert contender.process.returncode is not None
