"""A long job shows on the terminal, quiet call or not, how far it is."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from project import Project, copy_project

pytestmark = pytest.mark.slow
MODEL = "results/demo-fp32/model/model.safetensors"


@pytest.mark.parametrize("quiet", [(), ("--quiet", "host", "reason", "rules")])
def test_training_tells_how_far_it_is_at_least_every_ten_seconds(tmp_path, quiet):
    project = Project(copy_project(tmp_path / "bertsquad"))
    process = project.start("--cores", "1", MODEL, *quiet, own_session=True)
    told, watched = [], ""

    def read():
        for line in process.stderr:
            if "finetune demo-fp32, for" in line and "training: " in line:
                told.append((time.monotonic(), line))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        deadline = time.monotonic() + 240
        while len(told) < 3 and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.2)
        command = [sys.executable, "scripts/watch.py", "--once"]
        watched = subprocess.run(command, cwd=project.folder, capture_output=True, text=True).stdout
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        process.wait(90)
    assert len(told) >= 3, process.returncode
    assert max(b - a for (a, _), (b, _) in itertools.pairwise(told)) < 11
    assert " steps (" in told[-1][1]
    assert " left; loss " in told[-1][1]
    assert "finetune demo-fp32, for" in watched
