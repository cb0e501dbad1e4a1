"""What would spoil a measurement is said, with what to do; a good machine gets no warning."""

import pytest

from bertsquad.machine.checks import Check, checks, notes, warnings

GOOD = {
    "native_precisions": ["fp32", "bf16", "int8"],
    "amx": {"in_processor": True, "shown": True, "permitted": True, "reason": None},
    "cpu": {
        "sockets": 1,
        "cores": 4,
        "threads_per_core": 1,
        "logical": 4,
        "numa_nodes": 1,
        "cpus_by_numa_node": {"0": [0, 1, 2, 3]},
        "cores_by_socket": {"0": ["0", "1", "2", "3"]},
    },
    "memory_mib": 65536,
    "allowed_cpus": [0, 1, 2, 3],
    "allowed_memory_nodes": [0],
    "binding": {
        "cpu": {"permitted": True, "reason": None},
        "memory": {"permitted": True, "reason": None},
    },
    "cgroup": {"version": "v2", "cpuset": None, "cpu_quota": None, "memory_limit_mib": None},
    "activity": {"seconds": 0.5, "workflow_cpus": 2.0, "other_cpus": 0.1, "stolen_cpus": 0.0},
    "sees_all_processes": True,
    "governor": "performance",
    "turbo": False,
    "transparent_huge_pages": "madvise",
    "environment": {},
    "defaults": {"threads": 4, "cpus": [0, 1, 2, 3], "sockets": [0]},
}
HIDDEN = {"unavailable": "for the test"}
REFUSED = {"permitted": False, "reason": "Operation not permitted"}
TWO_NODES = {"numa_nodes": 2, "cpus_by_numa_node": {"0": [0, 1], "1": [2, 3]}}


def changed(**changes):
    """GOOD with changes; a dict is laid over the one that is there."""
    return GOOD | {
        name: GOOD[name] | change if isinstance(change, dict) and change != HIDDEN else change
        for name, change in changes.items()
    }


def test_a_good_machine_gets_no_warning():
    found = checks(GOOD, needed_mib=7000)
    assert {check.level for check in found} == {"fine"}
    assert warnings(found) == notes(found) == []


@pytest.mark.parametrize(
    ("changes", "finding", "remedy"),
    [
        ({"native_precisions": ["fp32"]}, "BF16 is emulated", "use fp32"),
        ({"amx": {"shown": False}}, "AMX is not enabled", "Linux 5.16"),
        (
            {"amx": {"permitted": False, "reason": "Operation not permitted"}},
            "AMX is refused",
            "arch_prctl",
        ),
        ({"cgroup": {"cpu_quota": 1.5}}, "quota is 1.5 processors but 4", "--cpuset-cpus"),
        (
            {"cpu": {"cores_by_socket": {"0": ["0,4", "1,5", "2,6", "3,7"]}, "logical": 4}},
            "cores are shared: the other hardware threads of the allowed processors (4-7)",
            "whole cores",
        ),
        (
            {"cpu": TWO_NODES, "allowed_memory_nodes": [0]},
            "threads run on NUMA nodes 0-1 but memory is allowed on 0 alone",
            "--cpuset-mems 0-1",
        ),
        ({"binding": {"cpu": REFUSED}}, "CPU binding is not permitted", "--cap-add SYS_NICE"),
        (
            {"binding": {"memory": REFUSED}, "cpu": TWO_NODES, "allowed_memory_nodes": [0, 1]},
            "memory binding is not permitted (Operation not permitted)",
            "--security-opt seccomp=unconfined",
        ),
        (
            {"activity": {"other_cpus": 1.9}},
            "programs that are not this workflow's kept 1.9 processors busy",
            "top",
        ),
        ({"activity": {"stolen_cpus": 0.7}}, "takes 0.7 processors away", "quiet hour"),
        ({"governor": "powersave"}, "governor powersave", "cpupower"),
        ({"transparent_huge_pages": "never"}, "huge pages are off", "madvise"),
        ({"memory_mib": 4096}, "may use 4,096 MiB, but the configured runs take", "--memory"),
        ({"cgroup": {"memory_limit_mib": 512}}, "may use 512 MiB", "--memory"),
    ],
)
def test_each_fault_has_its_warning_alone(changes, finding, remedy):
    [warning] = warnings(checks(changed(**changes), needed_mib=7000))
    assert finding in warning
    assert remedy in warning


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"turbo": True}, "turbo is on"),
        ({"allowed_cpus": [0, 1]}, "may use 2 of the machine's 4 processors (0-1)"),
        ({"binding": {"memory": REFUSED}}, "with one NUMA node nothing is lost"),
        ({"environment": {"OMP_PLACES": "cores"}}, "kept: OMP_PLACES"),
        ({"cpu": TWO_NODES, "allowed_memory_nodes": [0, 1]}, "1 socket and 2 NUMA nodes"),
    ],
)
def test_what_is_good_to_know_spoils_nothing(changes, note):
    found = checks(changed(**changes))
    assert warnings(found) == []
    assert note in notes(found)[0]


def test_the_workflows_own_work_does_not_make_a_machine_busy():
    assert warnings(checks(changed(activity={"workflow_cpus": 64.0}))) == []


def test_in_a_container_other_programs_may_be_the_workflows_own():
    [warning] = warnings(checks(changed(activity={"other_cpus": 1.0}, sees_all_processes=False)))
    assert "programs outside this container" in warning


def test_a_quota_of_all_processors_limits_nothing():
    assert warnings(checks(changed(cgroup={"cpu_quota": 4.0}))) == []


@pytest.mark.parametrize("name", sorted(GOOD))
def test_what_cannot_be_read_is_no_reason_to_warn(name):
    found = checks(changed(**{name: HIDDEN}), needed_mib=7000)
    assert warnings(found) == []


@pytest.mark.parametrize(
    "name",
    ["native_precisions", "binding", "activity", "governor", "transparent_huge_pages", "cgroup"],
)
def test_what_cannot_be_read_is_said(name):
    assert "unknown" in {check.level for check in checks(changed(**{name: HIDDEN}))}


def test_a_check_in_one_sentence():
    assert str(Check("warning", "it is", "do that")) == "it is; do that"
    assert str(Check("note", "it is")) == "it is"
