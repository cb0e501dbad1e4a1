"""Tests on real data run where SQUAD_DIR names it, and say so where they are skipped."""

import os
import subprocess
import sys
from pathlib import Path

from project import ROOT


def run_a_test_on_real_data(squad_dir: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "SQUAD_DIR"}
    if squad_dir is not None:
        environment["SQUAD_DIR"] = squad_dir
    command = [sys.executable, "-m", "pytest", "-q", "-m", "real_data"]
    command.append("tests/benchmark/test_squad_lengths.py")
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_without_squad_dir_a_test_on_real_data_is_skipped_and_says_why():
    done = run_a_test_on_real_data(None)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SKIPPED" in done.stdout
    assert "SQUAD_DIR is not set: name the folder" in done.stdout


def test_a_squad_dir_without_squad_is_a_failure_and_no_skip(tmp_path: Path):
    done = run_a_test_on_real_data(str(tmp_path))
    assert done.returncode == 1
    assert "where there is no dev-v1.1.json" in done.stdout
    assert "skipped" not in done.stdout
