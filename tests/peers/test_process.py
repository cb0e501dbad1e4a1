"""A side as a process of its own."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bertsquad.peers import process
from bertsquad.peers.process import Worker, WorkerFailed

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
    """Starts workers with a program each, and ends them."""
    workers = []

    def start(program: str) -> Worker:
        command = [sys.executable, "-c", program]
        workers.append(Worker("the side", command, os.environ, tmp_path / "logs/side.log"))
        return workers[-1]

    yield start
    for one in workers:
        one.close()


def state(pid: int) -> str:
    """The letter of proc(5): T is stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_it_answers_when_ready_and_after_each_run(started):
    side = started(ANSWERS)
    assert side.ready() == {"check": [1.0]}
    assert side.run() == {"seconds": 0.5, "features": 0}
    assert side.run() == {"seconds": 0.5, "features": 1}


def test_it_is_stopped_before_and_between_its_runs(started):
    side = started(ANSWERS)
    side.ready()
    assert state(side.process.pid) == "T"
    side.run()
    assert state(side.process.pid) == "T"


def test_one_that_cannot_load_is_named_with_the_last_line_of_its_log(started):
    with pytest.raises(WorkerFailed, match="the side: ended with exit status 1; no such library"):
        started(ENDS).ready()


def test_one_that_ends_in_a_run_is_named(started):
    side = started(ENDS_LATER)
    side.ready()
    with pytest.raises(WorkerFailed, match="the side: ended with exit status 1; out of memory"):
        side.run()


def test_one_that_does_not_answer_is_given_up(started, monkeypatch):
    monkeypatch.setattr(process, "READY_SECONDS", 0.05)
    with pytest.raises(WorkerFailed, match=r"no answer in 0\.05 s; it wrote nothing"):
        started(SILENT).ready()


def test_closing_ends_a_stopped_process(started):
    side = started(ANSWERS)
    side.ready()
    side.close()
    assert side.process.returncode is not None
