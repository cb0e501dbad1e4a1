"""The machine as a person reads it, and every key of machine.json."""

import pytest

from bertsquad.reporting.page import machine as machine_page
from fake_results import MACHINE


def lines(machine):
    return {
        f"{group.title}: {name}": said
        for group in machine_page.machine_page(machine)
        for name, said in group.lines
    }


def test_a_machine_is_told_in_a_few_lines():
    found = MACHINE | {
        "cpu": MACHINE["cpu"]
        | {
            "hypervisor": True,
            "caches": {
                "L1d": {"instances": 2, "size_kib": 32},
                "L3": {"instances": 1, "size_kib": 32768},
            },
        },
        "amx": {"in_processor": True, "permitted": False, "reason": "the kernel is too old"},
        "activity": {"other_cpus": 0.5, "stolen_cpus": 0.0},
    }
    said = lines(found)
    assert said["Processor: model"] == "Example Processor 9000, a virtual machine’s"
    assert said["Processor: made of"] == "1 socket, 2 cores, 2 threads, 1 NUMA node"
    assert said["Processor: caches"] == "L1d 2 × 32 KiB, L3 32 MiB"
    assert said["Processor: AMX"] == "not to be used: the kernel is too old"
    assert said["Memory: installed"] == "24.0 GiB"
    assert said["What a run may use: processors"] == "2 of 2 (0-1)"
    assert said["What a run may use: time of processors"] == "that of 2, by the container or job"
    assert said["While it was looked at: other programs"] == "kept 0.5 processors busy"
    assert not any("governor" in name for name in said)  # not told: in the raw keys, with why


@pytest.mark.parametrize("machine", [{}, {"cpu": {"unavailable": "no /proc"}}, {"cpu": {}}])
def test_of_a_machine_that_tells_nothing_nothing_is_said(machine):
    assert machine_page.machine_page(machine) == []


def test_machine_facts_are_flat_and_say_what_is_unknown():
    found = MACHINE | {
        "cpu": MACHINE["cpu"]
        | {
            "caches": {"L2": {"instances": 2, "size_kib": 1024}},
            "cpus_by_numa_node": {"0": [0, 1, 2, 3, 8]},
            "memory_by_numa_node_mib": {"0": 24576},
        }
    }
    facts = {name: (value, known) for name, value, known in machine_page.machine_facts(found)}
    assert facts["CPU model"] == ("Example Processor 9000", True)
    assert facts["CPU caches L2"] == ("2 × 1,024 KiB", True)
    assert facts["CPU CPUs by NUMA node 0"] == ("0-3, 8", True)
    assert facts["CPU memory by NUMA node 0"] == ("24.0 GiB", True)
    assert facts["memory"] == ("24.0 GiB", True)
    assert facts["governor"] == ("no cpufreq in this virtual machine", False)
    assert facts["native precisions"] == ("fp32, bf16, int8", True)
    assert not any(name.startswith(("versions", "warnings")) for name in facts)


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (MACHINE, "Example Processor 9000 (2 cores, 24.0 GiB)"),
        ({"cpu": {"model": "A", "cores": 1}}, "A (1 core)"),
        ({"cpu": {"unavailable": "no /proc"}}, "a processor that does not tell its name"),
        ({}, "a processor that does not tell its name"),
    ],
)
def test_machine_name_says_what_is_known(machine, name):
    assert machine_page.machine_name(machine) == name
