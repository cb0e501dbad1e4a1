"""On a real Slurm: a lost node, a lost Snakemake, and a time limit that is too short."""

import functools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project import ROOT, Project, heed_ctrl_c
from services.slurm import ENDED, run, state_of
from services.slurm_project import CONFIG, PROFILE, busy_node, untrained, wait_for
from services.small_run import MODEL, RUN

# Long enough to be lost in the middle, on two cores; its state is saved every second.
LONGER = {"small": {"epochs": 0.3}, "training": {"checkpoint_seconds": 1}}
STATE = "results/small/training_state/state.safetensors"
LOG = "results/logs/small/finetune.log"


@pytest.fixture(scope="module")
def undisturbed(on_host, tmp_path_factory) -> Iterator[Callable[[], bytes]]:
    """The weights of the longer training, which is done on the host while the first test waits for
    Slurm to miss a node."""
    project = untrained(on_host, tmp_path_factory.mktemp("undisturbed") / "bertsquad", LONGER)
    training = project.start(MODEL, *RUN, own_session=True)

    @functools.cache
    def weights() -> bytes:
        stdout, stderr = training.communicate(timeout=300)
        assert training.returncode == 0, stdout + stderr
        return (project.folder / MODEL).read_bytes()

    yield weights
    if training.poll() is None:
        os.killpg(training.pid, signal.SIGKILL)
        training.communicate()


def submit(project: Project) -> subprocess.Popen:
    return subprocess.Popen(
        [*project.program, MODEL, *CONFIG, *PROFILE],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed_ctrl_c,
    )


def train_until_a_state_is_saved(project: Project) -> subprocess.Popen:
    driver = submit(project)
    state = project.folder / STATE
    wait_for(lambda: state.exists() or driver.poll() is not None, 180)
    assert driver.poll() is None, driver.stdout.read()
    return driver


def check_steps(folder: Path) -> None:
    lines = (folder / "results/small/training_log.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == list(range(1, len(steps) + 1))


def test_a_lost_node_is_made_good_by_another_and_training_goes_on(
    slurm, on_host, undisturbed, tmp_path
):
    project = untrained(on_host, tmp_path / "bertsquad", LONGER)
    driver = train_until_a_state_is_saved(project)
    try:
        node = busy_node(slurm)
        slurm.kill_node(node)
        said, _ = driver.communicate(timeout=300)
        slurm.start_node(node)
    finally:
        driver.kill()
    assert driver.returncode == 0, said
    assert "resuming after step" in (project.folder / LOG).read_text(errors="replace")
    assert (project.folder / MODEL).read_bytes() == undisturbed()
    check_steps(project.folder)


def test_a_lost_snakemake_is_started_again_and_its_training_is_not_done_twice(
    slurm, on_host, undisturbed, tmp_path
):
    project = untrained(on_host, tmp_path / "bertsquad", LONGER)
    driver = train_until_a_state_is_saved(project)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    [orphan] = [line.split()[0] for line in slurm.jobs() if line.split()[1] == "R"]
    done = project.snakemake(MODEL, *CONFIG, *PROFILE, "--unlock")
    assert done.returncode == 0, done.stderr
    second = submit(project)
    said, _ = second.communicate(timeout=300)
    assert second.returncode == 0, said
    assert f"bertsquad: job {orphan} (finetune small) of an earlier run still runs; a tr" in said
    log = (project.folder / LOG).read_text(errors="replace")
    assert f"done by job {orphan}; taken over" in log or (
        "done by a job of an earlier run; taken over" in log
    )
    assert "resuming after step" not in log
    assert (project.folder / MODEL).read_bytes() == undisturbed()
    assert not (project.folder / STATE).parent.exists()
    check_steps(project.folder)
    assert project.planned(MODEL, *RUN) == {}


def test_a_job_whose_time_is_nearly_up_is_queued_again_and_goes_on(
    slurm, on_host, undisturbed, tmp_path
):
    """Told by the signal that Slurm sends two minutes before the end, sent here once training has
    begun. That Slurm sends it is shown where nothing new was made (test_slurm.py)."""
    project = untrained(on_host, tmp_path / "bertsquad", LONGER)
    out = tmp_path / "out"
    job = run(
        *("sbatch", "--parsable", "--chdir", str(project.folder), "--partition=cpu", "--time=10"),
        *("--output", str(out), str(ROOT / "scripts/slurm_node.sh"), MODEL, *CONFIG),
    ).strip()
    state = project.folder / STATE
    wait_for(lambda: state.exists() or state_of(job) in ENDED, 180)
    run("scancel", "--signal=USR1", "--batch", job)
    ends = time.monotonic() + 240
    while (now := state_of(job)) not in ENDED:
        assert time.monotonic() < ends, out.read_text()
        if now == "PENDING":  # Slurm waits two minutes before it starts one again
            subprocess.run(["scontrol", "update", f"JobId={job}", "StartTime=now"], check=False)
        time.sleep(1)
    said = out.read_text(errors="replace")
    assert now == "COMPLETED", said
    assert f"stopped; queued again as job {job}" in said
    assert "start 1 on n" in said
    assert (project.folder / MODEL).read_bytes() == undisturbed()
    check_steps(project.folder)
