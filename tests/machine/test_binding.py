"""Keeping a process to cores and memory, in a process of its own."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from bertsquad.distributed.worker import is_worker, read_worker, was_distributed
from bertsquad.machine import binding

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds processes")


def in_a_process(code):
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


@LINUX
def test_a_bound_process_runs_on_its_cores_alone():
    cpu = max(os.sched_getaffinity(0))
    found = in_a_process(
        "import os; from bertsquad.machine.binding import bind_cpus\n"
        f"print(bind_cpus([{cpu}]), os.sched_getaffinity(0))"
    )
    assert found == f"None {{{cpu}}}"


@LINUX
def test_a_core_that_is_not_there_is_said():
    assert (
        in_a_process("from bertsquad.machine.binding import bind_cpus; print(bind_cpus([1000]))")
        == "CPU binding is not permitted: Invalid argument"
    )


@LINUX
def test_memory_is_bound_to_a_node_as_the_kernel_sees_it():
    said, policy = in_a_process(
        "from bertsquad.machine.binding import bind_memory; print(bind_memory([0]))\n"
        "print(open('/proc/self/numa_maps').readline().split()[1])"
    ).splitlines()
    if said != "None":
        pytest.skip(said)
    assert policy == "bind:0"


def test_a_node_that_is_not_there_is_said_with_what_to_allow():
    said = in_a_process(
        "from bertsquad.machine.binding import bind_memory; print(bind_memory([63]))"
    )
    assert said.startswith("memory binding is not permitted: Invalid argument")


def test_another_machine_is_said(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "sparc64")
    assert binding.bind_memory([0]) == "memory binding is not possible: not known how on sparc64"


# The environment of a process


def test_a_process_finds_its_place_by_its_number_on_the_host():
    places = [
        {"cpus": [0, 1], "communication_cpus": [2], "memory_nodes": [0], "threads": 2},
        {"cpus": [3], "communication_cpus": [], "memory_nodes": [], "threads": 1},
    ]
    environment = {
        "RANK": "5",
        "WORLD_SIZE": "6",
        "LOCAL_RANK": "1",
        "TORCHELASTIC_RUN_ID": "none",
        "BERTSQUAD_HOST": "b",
        "BERTSQUAD_PLACES": json.dumps(places),
    }
    found = read_worker(environment)
    assert (found.rank, found.size, found.host) == (5, 6, "b")
    assert (found.cpus, found.communication_cpus, found.threads) == ((3,), (), 1)
    assert is_worker(environment)
    assert was_distributed(environment)


def test_a_torchrun_started_by_hand_places_nothing():
    environment = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "TORCHELASTIC_RUN_ID": "x"}
    assert read_worker(environment).threads is None
    assert was_distributed(environment)


def test_ranks_of_something_else_make_no_worker():
    assert not was_distributed({"RANK": "0", "WORLD_SIZE": "1"})
