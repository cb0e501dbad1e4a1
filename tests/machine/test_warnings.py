"""What would spoil a measurement is said, with what to do; a good machine gets no warning."""

import pytest

from bertsquad.machine.warnings import warnings

QUIET = {
    "bf16_native": True,
    "allowed_cpus": [0, 1, 2, 3],
    "cgroup": {"version": "v2", "cpuset": None, "cpu_quota": None, "memory_limit_mib": None},
    "load_average": [0.1, 0.5, 3.0],
    "governor": "performance",
}
HIDDEN = {"unavailable": "for the test"}


def test_a_good_machine_gets_no_warning():
    assert warnings(QUIET) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bf16_native": False}, "BF16 is emulated"),
        ({"cgroup": {**QUIET["cgroup"], "cpu_quota": 1.5}}, "quota is 1.5 processors but 4"),
        ({"load_average": [1.9, 0.0, 0.0]}, "load average 1.9"),
        ({"governor": "powersave"}, "governor powersave"),
    ],
)
def test_each_fault_has_its_warning_alone(change, message):
    [warning] = warnings(QUIET | change)
    assert message in warning


def test_amx_that_is_switched_off():
    [warning] = warnings(QUIET, amx_is_off=True)
    assert warning.startswith("AMX is not enabled")


def test_a_quota_of_all_processors_limits_nothing():
    assert warnings(QUIET | {"cgroup": {**QUIET["cgroup"], "cpu_quota": 4.0}}) == []


@pytest.mark.parametrize("name", ["bf16_native", "cgroup", "load_average", "governor"])
def test_what_cannot_be_read_is_no_reason_to_warn(name):
    assert warnings(QUIET | {name: HIDDEN}) == []


def test_a_quota_that_cannot_be_read_is_no_reason_to_warn():
    assert warnings(QUIET | {"cgroup": {**QUIET["cgroup"], "cpu_quota": HIDDEN}}) == []
