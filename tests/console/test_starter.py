"""A command ends with the Snakemake that started it, and publishes nothing after."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

COMMAND = """
import subprocess, sys, time
from bertsquad.console.errors import exit_with
from bertsquad.files import write_text

def main():
    child = subprocess.Popen(["sleep", "60"])
    print(child.pid, flush=True)
    {body}

exit_with(main)
"""

# Stands for Snakemake: a program of that name that runs a job by a shell.
SNAKEMAKE = """
import subprocess, sys
subprocess.run(["bash", "-c", "set -e; " + sys.argv[1] + "; true"], check=False)
"""


@pytest.fixture
def started(tmp_path: Path):
    """Starts the command below a program named `name`; gives that and the command's child."""
    running = []

    def start(name: str, body: str) -> tuple[subprocess.Popen, psutil.Process, psutil.Process]:
        (tmp_path / name).write_text(SNAKEMAKE)
        (tmp_path / "step.py").write_text(COMMAND.replace("{body}", body))
        run = subprocess.Popen(
            [sys.executable, str(tmp_path / name), f"{sys.executable} {tmp_path / 'step.py'}"],
            env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
            stdout=subprocess.PIPE,
            stderr=(tmp_path / "stderr").open("w"),
            text=True,
        )
        child = psutil.Process(int(run.stdout.readline()))
        running.extend([child.parent(), child])
        return run, child.parent(), child

    yield start
    for process in running:
        if process.is_running():
            process.kill()


def wait_for_end(process: psutil.Process) -> bool:
    end = time.monotonic() + 15
    while time.monotonic() < end:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_command_and_its_children_end_with_snakemake(started):
    run, command, child = started("snakemake", "time.sleep(60)")
    run.kill()
    run.wait()
    assert wait_for_end(command)
    assert wait_for_end(child)


def test_a_command_that_something_else_started_goes_on(started, tmp_path):
    run, command, child = started(
        "other", f"time.sleep(3); write_text({str(tmp_path / 'o')!r}, 'x')"
    )
    run.kill()
    run.wait()
    assert wait_for_end(command)
    assert (tmp_path / "o").read_text() == "x"
    assert child.is_running()


def test_nothing_is_published_once_snakemake_has_ended(started, tmp_path):
    (tmp_path / "o").write_text("newer")
    body = (  # it does not hear the signal, so that it comes to publish
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"time.sleep(0.7); write_text({str(tmp_path / 'o')!r}, 'older')"
    )
    run, command, _ = started("snakemake", body)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert wait_for_end(command)
    assert (tmp_path / "o").read_text() == "newer"
    assert "o: not written, since the Snakemake" in (tmp_path / "stderr").read_text()
