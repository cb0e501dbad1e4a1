"""What was disturbed is measured once more, as soon as that may help."""

import json
import os
import sys

import pytest

from bertsquad.benchmark import tries as module
from bertsquad.benchmark.quiet import Patience
from bertsquad.benchmark.tries import Tries, first_try
from bertsquad.console.errors import UserError

BUSY, QUIET = ({"other_cpus": cpus} for cpus in (1.5, 0.0))


def cell(*codes):
    reasons = [{"code": code, "level": "disturbed"} for code in codes]
    return {
        "validity": {"verdict": "disturbed" if codes else "valid", "reasons": reasons},
        "features_per_second": 12.5,
        "started_at": "2026-01-02T03:04:05+00:00",
        "latency_samples_ms": [1.0],
    }


class Seen:
    """A watch that saw this."""

    def __init__(self, what):
        self.what = what

    def result(self):
        return self.what


@pytest.fixture
def attempt(monkeypatch, tmp_path):
    """Tries on a machine that is as the test says; `shared`: with a file of patience."""

    def made(now=QUIET, seconds=1, *, shared=False, first=None):
        monkeypatch.setattr(module, "observe", lambda: now)
        monkeypatch.setattr("bertsquad.benchmark.quiet.observe", lambda: now)
        path = tmp_path / "patience.json" if shared else None
        return Tries(Patience(seconds, path), first, told.append, {"A": "b"}, Seen(QUIET))

    told: list[str] = []
    made.told = told
    return made


def test_what_is_valid_is_kept(attempt):
    assert not attempt().again(cell(), 1.0)


def test_what_was_disturbed_is_measured_again_on_a_quiet_machine(attempt):
    tries = attempt()
    tries.wait()
    assert tries.again(cell("busy", "waited"), 1.0)
    assert attempt.told == ["disturbed (busy, waited): to be measured again"]


def test_a_second_time_is_the_last(attempt):
    first = {"waited_s": 2.0, "quiet": True, "validity": {"verdict": "disturbed"}}
    tries = attempt(first=first)
    tries.wait()
    assert not tries.again(cell("busy"), 1.0)
    assert tries.facts() == {
        **{"number": 2, "waited_s": 2.0, "quiet": True},
        "first": {"validity": {"verdict": "disturbed"}},
    }


def test_without_patience_nothing_is_measured_again(attempt):
    assert not attempt(seconds=0).again(cell("busy"), 1.0)


def test_where_the_machine_stays_busy_the_time_must_be_there(attempt, monkeypatch):
    ticks = iter(range(1000))
    monkeypatch.setattr("time.monotonic", lambda: float(next(ticks)))
    tries = attempt(BUSY, 20, shared=True)
    tries.quiet = True
    assert not tries.again(cell("busy"), 500.0)
    assert tries.not_again.startswith("others still computed after ")
    assert tries.facts()["not_again"] == tries.not_again
    assert tries.quiet is True  # before the measurement that is kept


def test_a_process_that_starts_anew_finds_what_the_first_began_with(attempt, monkeypatch):
    calls = {}
    monkeypatch.setattr(os, "execve", lambda *call: calls.update(exec=call))
    monkeypatch.setattr(os, "sched_setaffinity", lambda *call: calls.update(cpus=call))
    monkeypatch.setattr(sys, "orig_argv", ["python", "measure.py", "--threads", "1"])
    tries = attempt()
    tries.wait()
    tries.restart(cell("busy"), [0, 1])
    program, command, environment = calls["exec"]
    assert (program, command[:5]) == (
        sys.executable,
        ["python", "measure.py", "--threads", "1", "--first-try"],
    )
    assert (environment, calls["cpus"]) == ({"A": "b"}, (0, [0, 1]))
    found = first_try(command[5])
    assert found == {
        "validity": cell("busy")["validity"],
        "features_per_second": 12.5,
        "started_at": "2026-01-02T03:04:05+00:00",
        "waited_s": 0.0,
        "quiet": True,
    }


@pytest.mark.parametrize("text", ["", "3", "[]", json.dumps({"validity": {"verdict": 3}})])
def test_nobody_else_gives_a_first_try(text):
    with pytest.raises(UserError, match="--first-try: found"):
        first_try(text)
