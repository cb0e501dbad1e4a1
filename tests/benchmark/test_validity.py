"""Every way to be disturbed has a bound, and what is above it is no result."""

import pytest

from bertsquad.benchmark.validity import CHECKS, reasons_in_words, validity

QUIET = {
    "throttled_s": 0.0,
    "majflt": 0,
    "stolen_share": 0.0,
    "waited_share": 0.004,
    "other_cpus": 0.1,
}


def test_a_quiet_machine_is_valid():
    assert validity(QUIET) == {"verdict": "valid", "reasons": []}


def test_what_the_system_does_not_tell_speaks_against_nothing():
    unknown = {name: {"unavailable": "no /proc"} for name in QUIET}
    assert validity(unknown)["verdict"] == "valid"
    assert validity({})["verdict"] == "valid"


TRIGGERS = {
    "throttled": [("throttled_s", 0.01, "invalid")],
    "swapped": [("majflt", 11, "invalid")],
    "stolen": [("stolen_share", 0.02, "disturbed"), ("stolen_share", 0.06, "invalid")],
    "waited": [("waited_share", 0.02, "disturbed"), ("waited_share", 0.06, "invalid")],
    "late": [("late_share", 0.03, "invalid")],
    "queue_model_refuted": [("twin_kappa", 0.12, "disturbed")],
    "busy": [("other_cpus", 0.6, "disturbed"), ("other_cpus", 9.0, "disturbed")],
}


def test_every_code_has_a_trigger():
    assert set(TRIGGERS) == {check.code for check in CHECKS}


@pytest.mark.parametrize(
    ("code", "noise", "found", "level"),
    [(code, *trigger) for code, triggers in TRIGGERS.items() for trigger in triggers],
)
def test_each_code_is_triggered_alone(code, noise, found, level):
    result = validity(QUIET | {noise: found})
    assert result["verdict"] == level
    (reason,) = result["reasons"]
    assert (reason["code"], reason["level"], reason["found"]) == (code, level, found)
    assert reason["found"] > reason["bound"]
    assert reason["do"]


@pytest.mark.parametrize(
    ("noise", "found"),
    [("majflt", 10), ("stolen_share", 0.01), ("waited_share", 0.01), ("other_cpus", 0.5)],
)
def test_the_bound_itself_is_allowed(noise, found):
    assert validity(QUIET | {noise: found})["verdict"] == "valid"


def test_the_worst_reason_decides_and_all_are_told():
    result = validity(QUIET | {"other_cpus": 1.5, "majflt": 40})
    assert result["verdict"] == "invalid"
    assert reasons_in_words(result["reasons"]) == "swapped 40 page faults; busy 1.5 CPUs"
