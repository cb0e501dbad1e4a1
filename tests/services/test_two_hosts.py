"""Training on two hosts: the same training, and what the loss of one, or of the network, does."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from processes import alive, descendants, wait_for, workers
from services import two_hosts as hosts
from tiny_bert import write_model_folder
from tiny_training import write_training_features

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/finetune.py"
OPTIONS = {
    "precision": "fp32",
    "batch-size": 6,
    "learning-rate": "1.0e-3",
    "micro-batch-tokens": 64,
    "threads": 1,
}
GO_ON = "all processes have been ended; the same command goes on from the last saved state"


@pytest.fixture(scope="module")
def two_hosts():
    if reason := hosts.why_not():
        pytest.skip(reason)
    with hosts.two_hosts() as made:
        yield made


@pytest.fixture
def trial(two_hosts, tmp_path):
    yield Trial(two_hosts, tmp_path)
    two_hosts.mend()


class Trial:
    """A tiny training, by one process or by two hosts, in a folder of its own."""

    def __init__(self, two_hosts, folder):
        self.hosts, self.folder = two_hosts, folder
        self.checkpoint = write_model_folder(folder / "checkpoint", spread=0.1)
        self.features = write_training_features(folder / "train", self.checkpoint)

    def command(self, name, epochs, **options):
        values = {
            "checkpoint": self.checkpoint,
            "features": self.features,
            "output": self.folder / name / "model",
            "log": self.folder / name / "log.jsonl",
            "state": self.folder / name / "state",
            "epochs": epochs,
            **OPTIONS,
            **options,
        }
        return [sys.executable, str(SCRIPT), *(f"--{k}={v}" for k, v in values.items())]

    def on_two_hosts(self, name, epochs, **options):
        """The running command of the first host; it starts the second."""
        shell = self.hosts.remote_shell(self.folder)
        command = self.command(
            name, epochs, **{"hosts": ",".join(hosts.ADDRESSES), "remote-shell": shell, **options}
        )
        return subprocess.Popen(self.hosts.command(0, command), stderr=subprocess.PIPE, text=True)

    def interrupted(self, epochs=10_000):
        """The same while it trains: the command, and all processes of both hosts."""
        process = self.on_two_hosts("model", epochs, **{"checkpoint-steps": 3})
        wait_for((self.folder / "model/state/state.safetensors").exists)
        return process, list(descendants(process.pid))

    def ended(self, process, everything):
        """What was said by a command that has to end within 30 seconds, leaving nothing behind."""
        started = time.monotonic()
        said = process.communicate(timeout=60)[1]
        wait_for(lambda: not [pid for pid in everything if alive(pid)], seconds=30)
        assert time.monotonic() - started < 30  # what is promised, not a measurement
        assert process.returncode == 1
        assert "Traceback" not in said
        return [line for line in said.splitlines() if "error" in line]

    def losses(self, name):
        lines = (self.folder / name / "log.jsonl").read_text().splitlines()
        return [json.loads(line)["loss"] for line in lines]

    def weights(self, name):
        return load_file(self.folder / name / "model/model.safetensors")


def test_two_hosts_train_as_one_process_does(trial):
    process = trial.on_two_hosts("two", epochs=4)
    assert process.wait(timeout=120) == 0, process.stderr.read()
    said = process.stderr.read()
    for number, address in enumerate(hosts.ADDRESSES):
        assert f"host {address}: 1 process: 1 thread" in said, number
    subprocess.run(trial.command("one", epochs=4), check=True, capture_output=True)
    torch.testing.assert_close(trial.losses("two"), trial.losses("one"), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(trial.weights("two"), trial.weights("one"), rtol=1e-3, atol=1e-4)


def test_a_cut_network_ends_both_hosts_and_a_rerun_goes_on(trial):
    process, everything = trial.interrupted()
    trial.hosts.cut()
    lost = f"is lost (nothing heard for 10 s); {GO_ON}"
    first, second = hosts.ADDRESSES
    said = trial.ended(process, everything)
    assert f"distribute.py: error: host {second} {lost}" in said
    # The second host says it, too, which the first one's user hears only where it still can.
    assert set(said) <= {
        f"distribute.py: error: host {second} {lost}",
        f"distribute.py: error: host {second}: host {first} {lost}",
    }
    trial.hosts.mend()
    resumed = trial.on_two_hosts("model", 10_000)
    assert any("resuming after step" in line for line in resumed.stderr)
    resumed.terminate()
    resumed.communicate(timeout=60)
    assert resumed.returncode == 143


def test_a_killed_process_of_the_second_host_is_told_by_the_first(trial):
    process, everything = trial.interrupted()
    os.kill(workers(process.pid)[-1], signal.SIGKILL)
    assert trial.ended(process, everything) == [
        f"distribute.py: error: process 1 on host {hosts.ADDRESSES[1]} was killed (SIGKILL, as the "
        f"kernel does where memory runs out); {GO_ON}"
    ]


def test_a_second_host_that_dies_is_told_by_the_first(trial):
    process, everything = trial.interrupted()
    (supervisor,) = [
        pid
        for pid, command in descendants(process.pid).items()
        if any(part.startswith("--host-number") for part in command)
        and "python" in command[0].rsplit("/", 1)[-1]
    ]
    os.kill(supervisor, signal.SIGKILL)
    assert trial.ended(process, everything) == [
        f"distribute.py: error: host {hosts.ADDRESSES[1]} is lost (its command has ended); {GO_ON}"
    ]
