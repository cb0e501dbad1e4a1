"""Whole machines that are not here: what is read, what it leads to, what is warned of."""

import json

import pytest

from bertsquad.machine.description import describe
from machine import trees

QUIET = {"seconds": 0.5, "workflow_cpus": 0.0, "other_cpus": 0.02, "stolen_cpus": 0.0}
ALL_PERMITTED = {"amx": None, "cpu": None, "memory": None}
IN_DOCKER = ALL_PERMITTED | {"memory": "Operation not permitted"}


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """Each machine is written and described once."""
    known = {}

    def described(build, trial=ALL_PERMITTED):
        if build.__name__ not in known:
            root = build(tmp_path_factory.mktemp(build.__name__))
            known[build.__name__] = describe(root, observed=QUIET, trial=trial)
        return known[build.__name__]

    return described


def topics(messages):
    return [message.split(":")[0] for message in messages]


def test_a_xeon_with_amx(described):
    machine = described(trees.xeon_with_amx)
    cpu = machine["cpu"]
    assert (cpu["sockets"], cpu["cores"], cpu["threads_per_core"], cpu["logical"]) == (
        *(2, 112, 2, 224),
    )
    assert cpu["cpus_by_numa_node"]["1"] == [*range(56, 112), *range(168, 224)]
    assert cpu["memory_by_numa_node_mib"] == {"0": 262144, "1": 262144}
    assert cpu["caches"]["L3"] == {"size_kib": 2048, "instances": 2}
    assert machine["native_precisions"] == ["fp32", "bf16", "fp16", "int8"]
    assert machine["amx"] == {
        "in_processor": True,
        "shown": True,
        "permitted": True,
        "reason": None,
    }
    assert machine["cgroup"]["cpu_quota"] is None
    assert machine["turbo"] is True
    # The physical cores of one socket, the first hardware thread of each.
    assert machine["defaults"] == {"threads": 56, "cpus": list(range(56)), "sockets": [0]}
    assert machine["warnings"] == []
    assert topics(machine["notes"]) == [
        "2 sockets and 2 NUMA nodes",
        "turbo is on",
    ]


def test_the_guides_machine(described):
    machine = described(trees.cooper_lake)
    assert (machine["cpu"]["sockets"], machine["cpu"]["numa_nodes"]) == (4, 4)
    assert machine["native_precisions"] == ["fp32", "bf16", "int8"]
    assert machine["amx"]["in_processor"] is False
    assert machine["defaults"] == {"threads": 28, "cpus": list(range(28)), "sockets": [0]}
    assert topics(machine["warnings"]) == [
        "the clock follows the load (governor powersave)",
        "transparent huge pages are off",
    ]


def test_an_epyc_with_four_nodes_a_socket(described):
    machine = described(trees.epyc)
    cpu = machine["cpu"]
    assert (cpu["sockets"], cpu["cores"], cpu["numa_nodes"]) == (2, 128, 8)
    assert cpu["caches"]["L3"]["instances"] == 16
    assert cpu["cpus_by_numa_node"]["7"] == [*range(112, 128), *range(240, 256)]
    assert machine["native_precisions"] == ["fp32", "int8"]
    assert machine["fp32_products"] == "blas"
    assert machine["defaults"] == {"threads": 64, "cpus": list(range(64)), "sockets": [0]}
    assert topics(machine["warnings"]) == ["BF16 is emulated"]


def test_a_container_with_half_a_processor(described):
    machine = described(trees.container, IN_DOCKER)
    assert machine["allowed_cpus"] == [0, 1]
    assert machine["cgroup"] == {
        "version": "v1",
        "cpuset": [0, 1],
        "cpu_quota": 0.5,
        "memory_limit_mib": 2048,
    }
    assert machine["defaults"] == {"threads": 1, "cpus": [0, 1], "sockets": [0]}
    assert machine["binding"] == {
        "cpu": {"permitted": True, "reason": None},
        "memory": {"permitted": False, "reason": "Operation not permitted"},
    }
    assert topics(machine["warnings"]) == [
        "BF16 is emulated",
        "the cgroup's CPU quota is 0.5 processors but 2 are visible",
        "cores are shared",
    ]
    assert "(4-5)" in machine["warnings"][2]
    assert "this process may use 2 of the machine's 8 processors (0-1)" in machine["notes"][0]
    assert "--cap-add SYS_NICE" in machine["notes"][1]


def test_a_graviton(described):
    machine = described(trees.graviton)
    assert machine["cpu"]["model"] == "Neoverse-V1"
    assert (machine["cpu"]["sockets"], machine["cpu"]["cores"]) == (1, 16)
    assert machine["native_precisions"] == ["fp32", "bf16", "fp16", "int8"]
    assert machine["amx"]["reason"] == "this processor has none"
    assert machine["defaults"] == {"threads": 16, "cpus": list(range(16)), "sockets": [0]}
    assert machine["warnings"] == []


def test_a_sandbox_with_half_of_sys(described):
    """What /proc tells is used; the rest is unavailable with the reason, and no guess."""
    machine = described(trees.broken)
    cpu = machine["cpu"]
    assert (cpu["cores"], cpu["threads_per_core"]) == (2, 2)
    assert cpu["numa_nodes"] == {"unavailable": "invalid literal for int() with base 10: 'zero'"}
    assert "hides the caches" in cpu["caches"]["unavailable"]
    assert machine["allowed_memory_nodes"] == {
        "unavailable": "/proc/self/status has no Mems_allowed_list"
    }
    assert set(machine["cgroup"]) == {"unavailable"}
    assert set(machine["memory_mib"]) == {"unavailable"}
    assert machine["defaults"] == {"threads": 2, "cpus": [0, 1], "sockets": [0]}
    assert machine["warnings"] == []
    assert json.loads(json.dumps(machine)) == machine
