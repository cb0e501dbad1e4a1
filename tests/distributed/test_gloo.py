"""Two real processes train together: the losses, the weights of each, and errors of one of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bertsquad.distributed.hosts import interface_with
from bertsquad.distributed.supervisor import free_port
from bertsquad.model import folder as model_folder
from bertsquad.training.hyperparameters import Hyperparameters
from bertsquad.training.loop import train
from bertsquad.training.state import TrainingState
from tiny_bert import write_model_folder
from tiny_training import training_features

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux and its /proc")

HERE = Path(__file__).resolve().parent
# Each process computes where the other one talks.
ALLOWED = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}
CPUS = (min(ALLOWED), max(ALLOWED))
PLACES = [
    {"cpus": [CPUS[n]], "communication_cpus": [CPUS[1 - n]], "memory_nodes": [], "threads": 1}
    for n in range(2)
]
NAMES = ["plain", "resumed", "dropout", "one-example", "bf16"]


@pytest.fixture(autouse=True)
def one_thread():
    """Steps this small only wait for each other's threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_model_folder(tmp_path_factory.mktemp("checkpoint"), spread=0.1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, checkpoint):
    """The folder that both processes wrote to."""
    folder = tmp_path_factory.mktemp("trained")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE.parents[1] / "scripts"), str(HERE.parent)]),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "WORLD_SIZE": "2",
        "GLOO_SOCKET_IFNAME": interface_with("127.0.0.1"),
        "BERTSQUAD_PLACES": json.dumps(PLACES),
    }
    command = [sys.executable, HERE / "train_as_team.py", checkpoint, folder]
    processes = [
        subprocess.Popen(
            command,
            env={**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in processes:
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 0, said
    return folder


def results(folder, rank=0):
    return json.loads((folder / f"{rank}.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_both_processes_have_the_same_weights_to_the_bit(trained, name):
    first, second = (load_file(trained / f"{name}-{rank}.safetensors") for rank in range(2))
    assert [key for key in first if not torch.equal(first[key], second[key])] == []
    assert results(trained, 0)[name] == results(trained, 1)[name]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain", {}),
        ("bf16", {"precision": "bf16"}),
        ("one-example", {"batch_size": 1, "epochs": 0.5}),
    ],
)
def test_they_train_as_one_process_does(trained, checkpoint, tmp_path, name, options):
    settings = {"precision": "fp32", "epochs": 3, "batch_size": 6, "learning_rate": 1e-3}
    hyperparameters = Hyperparameters(**{**settings, "micro_batch_tokens": 64, **options})
    model = model_folder.load(checkpoint, head="normal", seed=0)
    log = train(model, training_features(), hyperparameters, state=TrainingState(tmp_path, {}))
    near = 1e-2 if name == "bf16" else 1e-5
    found = results(trained)[name]
    torch.testing.assert_close(found, [line["loss"] for line in log], rtol=near, atol=near)


def test_a_state_that_only_the_leader_has_is_gone_on_from_by_both(trained):
    found = results(trained)
    assert found["resumed"] == found["plain"]


def test_dropout_differs_from_process_to_process_and_still_one_model_comes_out(trained):
    found = results(trained)
    assert found["dropout"] != found["plain"]


@pytest.mark.parametrize("rank", [0, 1])
def test_an_error_of_one_is_raised_by_both(trained, rank):
    assert results(trained, rank)["together"] == "no such file"


@pytest.mark.parametrize("rank", [0, 1])
def test_other_code_on_another_host_is_refused(trained, rank):
    assert "sources.a.py differ; give all hosts the same files" in results(trained, rank)["facts"]


@pytest.mark.parametrize("rank", [0, 1])
def test_a_loss_that_is_not_finite_is_raised_by_both(trained, rank):
    assert "of 12, for each of its 6 features" in results(trained, rank)["not finite"]


def test_all_use_the_fewest_threads_of_any(trained):
    assert [results(trained, rank)["threads"] for rank in range(2)] == [2, 2]


@pytest.mark.parametrize("rank", [0, 1])
def test_gloo_talks_on_a_core_of_its_own_and_nothing_else_does(trained, rank):
    found = results(trained, rank)
    assert found["notices"] == []
    talking = {cpus for name, cpus in found["cpus"] if "gloo" in name}
    assert talking == {str(CPUS[1 - rank])}
    assert {cpus for name, cpus in found["cpus"] if name.startswith("python")} == {str(CPUS[rank])}
