"""Every way to be disturbed has a bound, and what is above it is no result."""

import pytest

from bertsquad.benchmark.validity import (
    CHECKS,
    evidence,
    makes_worse,
    reasons_in_words,
    separate,
    validity,
)

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
    "clock": [("clock_change", 0.11, "disturbed")],
    "slow_clock": [("below_reference", 0.101, "disturbed")],
    "drift": [("drift_share", 0.021, "disturbed")],
    "no_steady_state": [("unsteady", 1, "disturbed")],
    "too_short": [("missing_s", 0.4, "disturbed")],
    "emulated": [("emulated", 1, "invalid")],
    "failed_f1": [("lost_f1", 0.03, "invalid")],
}
NOTED = {"too_few": ("too_few", 2), "slow_phase": ("slow_phase", 1.4)}


def test_every_code_has_a_trigger():
    assert {*TRIGGERS, *NOTED} == {check.code for check in CHECKS}


@pytest.mark.parametrize(("code", "trigger"), NOTED.items())
def test_what_is_noted_makes_no_cell_worse(code, trigger):
    name, found = trigger
    result = validity(QUIET | {name: found})
    assert result["verdict"] == "valid"
    assert [(r["code"], r["level"], r["found"]) for r in result["reasons"]] == [
        (code, "noted", found)
    ]
    assert validity(QUIET | {name: found, "other_cpus": 2.0})["verdict"] == "disturbed"


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
    [
        *(("majflt", 10), ("stolen_share", 0.01), ("waited_share", 0.01), ("other_cpus", 0.5)),
        *(("clock_change", 0.1), ("below_reference", 0.1), ("drift_share", 0.02)),
        *(("late_share", 0.02), ("missing_s", 0.0), ("emulated", 0), ("too_few", 0)),
        ("slow_phase", 1.25),
    ],
)
def test_the_bound_itself_is_allowed(noise, found):
    assert validity(QUIET | {noise: found})["verdict"] == "valid"


def test_a_clock_that_differs_by_a_little_is_told_and_makes_no_cell_worse():
    result = validity(QUIET | {"clock_change": 0.04, "below_reference": 0.07})
    assert result["verdict"] == "valid"
    assert [(reason["code"], reason["level"]) for reason in result["reasons"]] == [
        ("clock", "noted"),
        ("slow_clock", "noted"),
    ]


def test_the_worst_reason_decides_and_all_are_told():
    result = validity(QUIET | {"other_cpus": 1.5, "majflt": 40})
    assert result["verdict"] == "invalid"
    assert reasons_in_words(result["reasons"]) == "swapped 40 page faults; busy 1.5 CPUs"


DRIFT = {"share": 0.05, "low": 0.03, "high": 0.07}
CELLS = {
    "clock": {"calibration": {"before_gflops": 100.0, "after_gflops": 96.0}},
    "drift": {"steady": {"class": "flat", "dropped": 0, "drift": DRIFT}},
    "no_steady_state": {
        "steady": {"class": "slowdown", "dropped": 5, "drift": DRIFT | {"low": -1.0}}
    },
    "too_short": {"noise": {"seconds": 0.7}},
    "too_few": {"latency_ms": {"p50": {"value": 1.0}, "p99": {"needs": 368}, "n": 50}},
    "slow_phase": {"noise": {"slowest_phase": 1.3}, "steady": {"slowest_phase": 1.1}},
    "busy": {"activity": {"other_cpus": 1.0}},
    "waited": {"noise": {"waited_share": 0.02}},
    "emulated": {},
}


@pytest.mark.parametrize(("code", "cell"), CELLS.items())
def test_what_a_cell_holds_triggers_its_code(code, cell):
    found = evidence(cell, native=code != "emulated", min_seconds=1.0)
    assert [reason["code"] for reason in validity(found)["reasons"]] == [code]


def test_a_cell_without_anything_is_valid():
    assert validity(evidence({}, native=True, min_seconds=0.0))["reasons"] == []
    steady = {"class": "warm-up", "dropped": 10, "drift": DRIFT | {"low": -0.1}}
    full = {"steady": steady, "noise": {"seconds": {"unavailable": "no clock"}}}
    assert validity(evidence(full, native=True, min_seconds=9.0))["reasons"] == []


@pytest.mark.parametrize(
    ("reason", "worse"),
    [
        ("clock 0.17 between before and after", True),
        ("clock 0.1 between before and after", True),  # 0.104, rounded
        ("clock 0.041 between before and after", False),
        ("no_steady_state 1 series", True),
        ("too_few 3 percentiles", False),
        ("of another version 7", True),
        ("clock", True),
    ],
)
def test_what_is_written_tells_whether_it_made_a_cell_worse(reason, worse):
    assert makes_worse(reason) is worse


def test_words_of_its_own_take_the_place_of_a_number_and_stay_one_reason():
    said = "measured on host n7, AMD EPYC 9755; machine.json is of n2, AMD EPYC 9654"
    found = validity(QUIET | {"other_machine": 1, "other_cpus": 1.5})
    assert found["verdict"] == "disturbed"
    reasons = [r | {"said": said} if r["code"] == "other_machine" else r for r in found["reasons"]]
    text = reasons_in_words(reasons)
    assert text == f"busy 1.5 CPUs; other_machine {said}"
    assert separate(text) == ["busy 1.5 CPUs", f"other_machine {said}"]
    assert all(map(makes_worse, separate(text)))
    assert separate("") == []
