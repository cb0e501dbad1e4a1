"""A long job shows on the terminal, quiet call or not, how far it is."""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from project import Project, copy_project

pytestmark = pytest.mark.slow
MODEL = "results/demo-fp32/model/model.safetensors"


@dataclass
class Run:
    """A run of the project whose lines about training are noted with the time they came at."""

    project: Project
    process: subprocess.Popen
    told: list[tuple[float, str]] = field(default_factory=list)

    def read(self) -> None:
        for line in self.process.stderr:
            if "finetune demo-fp32, for" in line and "training: " in line:
                self.told.append((time.monotonic(), line))

    def goes_on(self) -> bool:
        return len(self.told) < 3 and self.process.poll() is None


def started(folder: Path, *quiet: str) -> Run:
    project = Project(copy_project(folder))
    run = Run(project, project.start("--cores", "1", MODEL, *quiet, own_session=True))
    threading.Thread(target=run.read, daemon=True).start()
    return run


def test_training_tells_how_far_it_is_at_least_every_ten_seconds_quiet_or_not(tmp_path):
    """Both at once: most of the time it is waited for a line."""
    loud = started(tmp_path / "loud")
    quiet = started(tmp_path / "quiet", "--quiet", "host", "reason", "rules")
    watched = {}
    try:
        deadline = time.monotonic() + 240
        while any(run.goes_on() for run in (loud, quiet)) and time.monotonic() < deadline:
            time.sleep(0.2)
        for run in (loud, quiet):
            command = [sys.executable, "scripts/watch.py", "--once"]
            folder = run.project.folder
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            watched[folder.name] = done.stdout
    finally:
        for run in (loud, quiet):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.process.pid, signal.SIGINT)  # as Ctrl-C does
        for run in (loud, quiet):
            run.process.wait(90)
    for run in (loud, quiet):
        told = run.told
        assert len(told) >= 3, run.process.returncode
        assert max(b - a for (a, _), (b, _) in itertools.pairwise(told)) < 11
        assert " steps (" in told[-1][1]
        assert " left; loss " in told[-1][1]
        assert "finetune demo-fp32, for" in watched[run.project.folder.name]
