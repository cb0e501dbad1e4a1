"""A bar for a terminal, lines for a log."""

import io

from bertsquad import progress
from bertsquad.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_log_gets_a_last_line_that_says_all_is_done():
    log = io.StringIO()
    with progress_bar(10, what="logits", unit="features", stream=log) as bar:
        for _ in range(10):
            bar.update()
    [line] = log.getvalue().splitlines()
    assert line.startswith("logits: 10 of 10 features (100 %), ")
    assert "left" not in line
    assert "\r" not in log.getvalue()


def test_a_log_gets_lines_with_the_time_left(monkeypatch):
    times = iter([0.0, 4.0, 12.0, 13.0, 20.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    log = io.StringIO()
    with progress_bar(100, what="logits", unit="features", stream=log) as bar:
        bar.update(10)
        bar.update(50)
        bar.update(40)
    assert log.getvalue().splitlines() == [
        "logits: 60 of 100 features (60 %), 5.0/s, 8 s left",
        "logits: 100 of 100 features (100 %), 5.0/s",
    ]


def test_a_failure_does_not_look_like_the_end():
    log = io.StringIO()
    try:
        with progress_bar(10, what="logits", unit="features", stream=log):
            raise KeyError
    except KeyError:
        pass
    assert log.getvalue() == ""


def test_nothing_to_do_is_no_division_by_zero():
    log = io.StringIO()
    with progress_bar(0, what="logits", unit="features", stream=log):
        pass
    assert "0 of 0" in log.getvalue()


def test_a_terminal_gets_a_bar():
    terminal = Terminal()
    with progress_bar(2, what="logits", unit="features", stream=terminal) as bar:
        bar.update(2)
    assert "2/2" in terminal.getvalue()
