"""A job killed in the middle: the next run completes, with the undisturbed result."""

import json
import os
import signal
import subprocess
import time

import psutil
import pytest

from bertsquad.files import sha256

pytestmark = pytest.mark.slow

SMALL = """
checkpoint: synthetic
dataset: synthetic
runs:
  small: {epochs: 0.15, batch_size: 32, learning_rate: 2.0e-3, max_seq_length: 128, doc_stride: 64,
          max_query_length: 24}
"""
MODEL = "results/small/model/model.safetensors"
LOG = "results/small/training_log.jsonl"


def job_of(process: subprocess.Popen, script: str) -> psutil.Process:
    """The running command of a Snakemake process; waits until it trains."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            try:
                if child.name().startswith("python") and any(
                    part.endswith(script) for part in child.cmdline()
                ):
                    return child
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.02)
    raise AssertionError(f"{script} never ran")


def test_a_killed_training_job_is_made_up_for_with_the_same_weights(fresh):
    (fresh.folder / "small.yaml").write_text(SMALL)
    target = [MODEL, "--configfile", "small.yaml", "--cores", "all"]
    running = fresh.start(*target)
    job = job_of(running, "finetune.py")
    log = fresh.folder / "results/logs/small/finetune.log"
    while "steps of" not in log.read_text():
        time.sleep(0.01)
    time.sleep(1)  # into the first steps
    os.kill(job.pid, signal.SIGKILL)
    running.communicate()
    assert running.returncode == 1
    assert not (fresh.folder / MODEL).exists()

    done = fresh.snakemake(*target)
    assert done.returncode == 0, done.stdout + done.stderr
    after_the_kill = sha256(fresh.folder / MODEL)
    steps = [json.loads(line)["step"] for line in (fresh.folder / LOG).read_text().splitlines()]
    assert steps == list(range(1, len(steps) + 1))

    done = fresh.snakemake(*target, "--forcerun", "finetune")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sha256(fresh.folder / MODEL) == after_the_kill
