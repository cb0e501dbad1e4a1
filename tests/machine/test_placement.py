"""placement.py: how many threads, and what a cell says of where they run."""

import subprocess
import sys
from pathlib import Path

from bertsquad.machine.cpu import allowed_cpus

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "scripts"


def settled(threads: str) -> subprocess.CompletedProcess:
    """In a process of its own, which it binds."""
    program = f"from bertsquad.machine.placement import settle_down; print(settle_down({threads}))"
    return subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )


def test_all_threads_are_no_more_than_were_given():
    assert "'threads': 1" in settled("'all', 1").stdout


def test_a_number_of_threads_is_taken_as_it_is_and_too_many_are_warned_of():
    many = len(allowed_cpus()) + 1
    done = settled(f"{many}, None")
    assert f"'threads': {many}" in done.stdout
    assert "take turns and measure the scheduler" in done.stderr
