"""SIGKILL at any line of a download or an unpacking, then a second try: the same bytes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("kill_driver.py")


@pytest.mark.parametrize(("work", "every", "kills"), [("download", 11, 20), ("unzip", 5, 15)])
def test_a_second_try_after_a_kill_completes_with_the_same_bytes(work, every, kills, tmp_path):
    command = [sys.executable, str(DRIVER), work, str(tmp_path), str(every)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    counts = json.loads(done.stdout)
    assert counts["kills"] >= kills
    assert counts["resumed"] >= 1
