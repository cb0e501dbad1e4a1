"""scripts/finetune.py on several processes: the same training, and what the loss of one does."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from processes import alive, descendants, wait_for, workers
from tiny_bert import write_model_folder
from tiny_training import write_training_features

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux and its /proc")

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
OPTIONS = {
    "precision": "fp32",
    "epochs": 20,
    "batch-size": 6,
    "learning-rate": "1.0e-3",
    "micro-batch-tokens": 32,
    "threads": 1,
    "checkpoint-steps": 40,
}  # 80 steps, without dropout


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_model_folder(tmp_path_factory.mktemp("checkpoint"), spread=0.1)


@pytest.fixture(scope="module")
def features(tmp_path_factory, checkpoint):
    return write_training_features(tmp_path_factory.mktemp("features") / "train", checkpoint)


def command(checkpoint, features, folder, **options):
    values = {
        "checkpoint": checkpoint,
        "features": features,
        "output": folder / "model",
        "log": folder / "training_log.jsonl",
        "state": folder / "state",
        **OPTIONS,
        **{name.replace("_", "-"): value for name, value in options.items()},
    }
    script = SCRIPTS / "finetune.py"
    return [sys.executable, script, *(f"--{name}={value}" for name, value in values.items())]


def finetune(*args, **options):
    return subprocess.run(
        command(*args, **options), capture_output=True, text=True, timeout=120, check=False
    )


def losses(folder):
    lines = (folder / "training_log.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


def weights(folder):
    return load_file(folder / "model/model.safetensors")


def close(a, b):
    """The same training up to rounding, which grows from step to step."""
    torch.testing.assert_close(losses(a)[:16], losses(b)[:16], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(losses(a), losses(b), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(weights(a), weights(b), rtol=1e-2, atol=1e-3)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, checkpoint, features):
    folder = tmp_path_factory.mktemp("alone")
    run = finetune(checkpoint, features, folder)
    assert run.returncode == 0, run.stderr
    return folder


def test_two_processes_train_as_one_does(checkpoint, features, alone, tmp_path):
    run = finetune(checkpoint, features, tmp_path, processes=2, threads=2)
    assert run.returncode == 0, run.stderr
    said = run.stderr.splitlines()
    assert said[0].startswith("distribute.py: 2 processes: 1 thread on CPU ")
    assert said[1] == "24 features, 80 steps of 6"
    assert "80 of 80 steps" in said[-1]
    close(tmp_path, alone)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "training_log.jsonl"]


def test_a_lost_process_ends_all_and_one_alone_goes_on(checkpoint, features, alone, tmp_path):
    process = start(checkpoint, features, tmp_path)
    first, second = workers(process.pid)
    os.kill(first, signal.SIGSTOP)  # and the other one hangs
    os.kill(second, signal.SIGKILL)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    assert "Traceback" not in said
    assert [line for line in said.splitlines() if "error" in line] == [
        "distribute.py: error: process 1 was killed (SIGKILL, as the kernel does where memory runs "
        "out); all processes have been ended; the same command goes on from the last saved state"
    ]
    assert not alive(first)
    assert not (tmp_path / "model").exists()

    resumed = finetune(checkpoint, features, tmp_path, processes=1)
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming after step" in resumed.stderr
    close(tmp_path, alone)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_asked_to_stop_the_first_process_saves_the_state(checkpoint, features, tmp_path, number):
    process = start(checkpoint, features, tmp_path, epochs=1000, checkpoint_steps=40)
    process.send_signal(number)
    message = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number
    saved = int(re.search(r"stopped by SIGTERM: (\d+) of 4000 steps are done", message)[1])
    resumed = start(checkpoint, features, tmp_path, epochs=1000, checkpoint_steps=40)
    wait_for(lambda: f"resuming after step {saved} of 4000" in resumed.stderr.readline())
    resumed.send_signal(signal.SIGTERM)
    resumed.communicate(timeout=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_survives_the_command(checkpoint, features, tmp_path, number):
    process = start(checkpoint, features, tmp_path, epochs=10_000)
    everything = list(descendants(process.pid))
    assert len(everything) == 3  # torchrun, and two that train
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == {signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    wait_for(lambda: not [pid for pid in everything if alive(pid)])


def start(checkpoint, features, folder, **options):
    """Two processes that train and have saved a state."""
    options = {"processes": 2, "threads": 2, "checkpoint_steps": 3, **options}
    process = subprocess.Popen(
        command(checkpoint, features, folder, **options),
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for((folder / "state/state.safetensors").exists)
    return process


def test_a_loss_that_is_not_finite_is_told_once(features, tmp_path):
    broken = write_model_folder(tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    tensors["bert.encoder.layer.1.output.dense.bias"][0] = torch.nan
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    run = finetune(broken, features, tmp_path, processes=2, threads=2)
    assert run.returncode == 2, run.stderr
    assert run.stderr.splitlines()[2:] == [
        "finetune.py: error: the loss is nan at step 1 of 80, for each of its 6 features: the "
        "weights are broken or training has diverged; try a lower learning rate or more warm-up"
    ]


# Without training


def test_auto_on_one_node_is_one_process_as_ever(checkpoint, features, alone, tmp_path):
    run = finetune(checkpoint, features, tmp_path, processes="auto")
    if "processes: " in run.stderr:
        pytest.skip("this machine has several NUMA nodes")
    assert run.returncode == 0, run.stderr
    assert losses(tmp_path) == losses(alone)
    name = "model/model.safetensors"
    assert (tmp_path / name).read_bytes() == (alone / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"processes": 1000}, "error: 1000 processes need as many cores, but this job may use "),
        ({"processes": 0}, "'0' is neither auto nor 1 or more"),
        ({"hosts": "127.0.0.1,127.0.0.1"}, "127.0.0.1 is named more than once"),
        ({"hosts": "192.0.2.1,192.0.2.2"}, "192.0.2.1 (192.0.2.1) is not this machine"),
        ({"hosts": "slurm"}, "so this is no Slurm job"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, options, reason):
    run = finetune(tmp_path, tmp_path, tmp_path, **options)
    assert run.returncode == 2
    assert reason in run.stderr.splitlines()[-1]
    assert "Traceback" not in run.stderr


def test_a_host_that_cannot_be_started_is_named(tmp_path):
    run = finetune(
        tmp_path, tmp_path, tmp_path, hosts="127.0.0.1,127.0.0.2", remote_shell="false", threads=1
    )
    assert run.returncode == 2
    assert (
        "error: host 127.0.0.2 could not be started: `false 127.0.0.2` ended with status 1"
        in run.stderr.splitlines()[-1]
    )
