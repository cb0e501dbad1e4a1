"""Progress is a bar on a terminal, and now and then a line anywhere else."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from bertsquad.artifacts.progress import Progress, readable_bytes

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (3_419, "3.42 kB"),
        (30_288_272, "30.3 MB"),
        (999_600, "1,000 kB"),
        (1_250_000_000, "1.25 GB"),
        (3_400_000_000_000, "3,400 GB"),
    ],
)
def test_bytes_are_written_readably(count, text):
    assert readable_bytes(count) == text


def test_a_log_gets_a_line_now_and_then(capsys, monkeypatch):
    now = iter([0.0, 1.0, 9.9, 10.0, 15.0, 21.0])
    monkeypatch.setattr("bertsquad.artifacts.progress.time.monotonic", lambda: next(now))
    with Progress("a.zip", 1000_000, done=200_000) as progress:
        for _ in range(5):
            progress.advance(100_000)
    assert capsys.readouterr().err == (
        "a.zip: 500 kB of 1 MB (50%), 30 kB/s\na.zip: 700 kB of 1 MB (70%), 23.8 kB/s\n"
    )


def test_without_a_total_only_the_count_is_shown(capsys, monkeypatch):
    now = iter([0.0, 10.0])
    monkeypatch.setattr("bertsquad.artifacts.progress.time.monotonic", lambda: next(now))
    with Progress("a.zip", None) as progress:
        progress.advance(1_000_000)
    assert capsys.readouterr().err == "a.zip: 1 MB, 100 kB/s\n"


def test_a_terminal_gets_a_bar():
    code = (
        "from bertsquad.artifacts.progress import Progress\n"
        "with Progress('a.zip', 1000) as progress: progress.advance(1000)"
    )
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    subprocess.run([sys.executable, "-c", code], stderr=terminal, env=environment, check=True)
    os.close(terminal)
    shown = os.read(master, 10_000).decode()
    os.close(master)
    assert "a.zip: 100%" in shown
