"""What a person sees of a training."""

import io

import pytest

from bertsquad.console import progress
from bertsquad.console.training_progress import TrainingProgress


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(progress.time, "monotonic", lambda: Clock.now)
    return Clock


def lines_of(steps, clock, seconds, total=10):
    stream = io.StringIO()
    with TrainingProgress(total, stream) as training:
        for step in steps:
            clock.now += seconds
            training({"step": step, "loss": float(step), "tokens": 600})
    return stream.getvalue().splitlines()


def test_a_log_file_gets_a_line_every_five_seconds_and_a_last_one(clock):
    assert lines_of(range(1, 5), clock, seconds=3.0, total=4) == [
        "training: 2 of 4 steps (50 %), 0.3/s, 6 s left; loss 1.500, 200 tokens/s",
        "training: 4 of 4 steps (100 %), 0.3/s; loss 2.500, 200 tokens/s",
    ]


def test_a_resumed_training_judges_speed_by_its_own_steps(clock):
    assert lines_of([91], clock, seconds=6.0, total=100) == [
        "training: 91 of 100 steps (91 %), 0.2/s, 54 s left; loss 91.000, 100 tokens/s",
    ]


def test_a_training_without_steps_says_nothing(clock):
    assert lines_of([], clock, seconds=1.0) == []


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar():
    stream = Terminal()
    with TrainingProgress(10, stream) as training:
        training({"step": 4, "loss": 2.5, "tokens": 100})
    assert "4/10" in stream.getvalue()
    assert "loss 2.500" in stream.getvalue()
