"""A bar for a terminal, lines for a log."""

import io

from bertsquad.console import progress
from bertsquad.console.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_log_gets_a_last_line_that_says_all_is_done():
    log = io.StringIO()
    with Progress(10, what="logits", unit="features", stream=log) as bar:
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
    with Progress(100, what="logits", unit="features", stream=log) as bar:
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
        with Progress(10, what="logits", unit="features", stream=log):
            raise KeyError
    except KeyError:
        pass
    assert log.getvalue() == ""


def test_nothing_to_do_is_nothing_to_say():
    log = io.StringIO()
    with Progress(0, what="logits", unit="features", stream=log):
        pass
    assert log.getvalue() == ""


def test_bytes_are_counted_from_where_a_transfer_resumes(monkeypatch):
    times = iter([0.0, 1.0, 4.9, 5.0, 9.0, 11.0, 12.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    log = io.StringIO()
    with Progress(1_000_000, what="a.zip", unit="B", done=200_000, stream=log) as bar:
        for _ in range(5):
            bar.update(100_000)
    assert log.getvalue().splitlines() == [
        "a.zip: 500 kB of 1 MB (50 %), 60 kB/s, 8 s left",
        "a.zip: 700 kB of 1 MB (70 %), 45.5 kB/s, 7 s left",
    ]


def test_without_a_total_only_the_count_is_shown(monkeypatch):
    times = iter([0.0, 10.0, 10.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    log = io.StringIO()
    with Progress(None, what="a.zip", unit="B", stream=log) as bar:
        bar.update(1_000_000)
    assert log.getvalue().splitlines()[0] == "a.zip: 1 MB, 100 kB/s"


def test_a_terminal_gets_a_bar_and_no_lines():
    terminal = Terminal()
    with Progress(2, what="logits", unit="features", stream=terminal) as bar:
        bar.update(2)
    assert "2/2" in terminal.getvalue()


def test_what_a_server_says_cannot_rewrite_the_terminal(capsys):
    progress.say("model.zip: 404 \x1b[2Jgone\x07; trying again")
    assert capsys.readouterr().err == "model.zip: 404 \\x1b[2Jgone\\x07; trying again\n"
