"""Scenarios under load: their cells, options and refusals."""

import pytest

from bertsquad.console.errors import UserError
from bertsquad.experiment.config import resolve
from bertsquad.experiment.files import Experiment
from bertsquad.experiment.load import KEYS, TAKES
from bertsquad.experiment.served import Served
from project import ROOT

SCHEMA = ROOT / "config/schemas/config.schema.yaml"


def resolved(**scenarios):
    config = {
        "checkpoint": "a",
        "dataset": "b",
        "runs": {"one": {}, "not-timed": {"benchmark": False}},
        "engines": {"torch": ["fp32"]},
        "benchmark": {"scenarios": scenarios, "repeats": 2},
    }
    return resolve(config, SCHEMA, "my.yaml")


def served(**scenarios):
    return Served(Experiment(resolved(**scenarios), None, lambda path: path))


def test_the_cells_are_all_layouts_and_loads_of_each_repeat():
    layouts = ["1x1x2", "2x1x1"]
    files = served(
        busy={"mode": "saturated", "layouts": layouts},
        server={"mode": "server", "shares": [0.5], "rates": [12.5], "slo_ms": 300},
        padded={},
    ).files()
    start = "<results>/one/torch-fp32/benchmark"
    assert files == [
        *(
            f"{start}/busy/layout{layout}-saturated-repeat{repeat}.json"
            for layout in layouts
            for repeat in (1, 2)
        ),
        *(
            f"{start}/server/layoutauto-{load}-repeat{repeat}.json"
            for load in ("share0.5", "rate12.5", "slo300")
            for repeat in (1, 2)
        ),
    ]


def test_other_cells_have_no_part_in_it():
    experiment = served(busy={"mode": "saturated"}, padded={"padding": "max_length"}).experiment
    assert all("/padded/batch" in path for path in experiment.cell_files())


def test_options_are_those_of_the_mode():
    found = served(
        busy={"mode": "saturated", "max_tokens": 900}, server={"mode": "server", "rates": [1]}
    )
    assert found.options("busy") == (
        "--mode saturated --seconds 20 --max-tokens 900 --seed 0 --min-seconds 1 --emulated mark"
    )
    assert found.options("server") == (
        "--mode server --seconds 20 --seed 0 --requests 368 --capacity-seconds 20 --wait-ms 0 "
        '--arrivals \'{"kind": "poisson"}\' --min-seconds 1 --emulated mark'
    )


def test_a_trace_is_an_input():
    arrivals = {"kind": "trace", "file": "my trace.txt"}
    found = served(server={"mode": "server", "rates": [1], "arrivals": arrivals})
    assert found.trace("server") == ["my trace.txt"]
    assert "my trace.txt" in found.options("server")


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ({"mode": "server"}, "scenarios.load: mode server has no load; give shares, rates or slo"),
        ({"mode": "saturated", "layouts": ["2x1"]}, "layouts"),
        ({"mode": "saturated", "layouts": []}, "layouts"),
        ({"mode": "saturated", "padding": "max_length"}, "padding max_length has no part in mode"),
        ({"mode": "server", "rates": [0]}, "rates"),
        ({"layouts": ["2x1x1"]}, "scenarios.load: layouts has no part in mode batches"),
        ({"mode": "offline", "slo_ms": 3}, "slo_ms has no part in mode offline"),
        ({"mode": "server", "rates": [1], "arrivals": {"kind": "bursts"}}, "bursts"),
        (
            {"mode": "server", "rates": [1], "arrivals": {"kind": "gamma"}},
            "arrivals: found no more than the kind, but gamma takes burstiness",
        ),
        (
            {"mode": "server", "rates": [1], "arrivals": {"burstiness": 2}},
            "arrivals: found burstiness, but poisson takes nothing else",
        ),
        (
            {
                "mode": "server",
                "rates": [1],
                "arrivals": {"kind": "on_off", "high": 6, "on_s": 1, "off_s": 4},
            },
            "high is 6; expected at most 5",
        ),
        ({"mode": "saturated", "slo_ms": 300}, "slo_ms has no part in mode saturated"),
        ({"mode": "saturated", "requests": 50}, "requests has no part in mode saturated"),
        (
            {"mode": "server", "rates": [1], "wait_ms": 5},
            "wait_ms is 5, but without max_tokens a lane waits for no other request",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(scenario, message):
    with pytest.raises(UserError, match=message):
        resolved(load=scenario)


def test_other_modes_have_none_of_these_keys():
    scenario = resolved(plain={}, busy={"mode": "saturated"})["benchmark"]["scenarios"]
    assert set(scenario["busy"]) - set(scenario["plain"]) == set(KEYS)


def test_every_kind_of_arrivals_is_in_the_schema():
    import yaml

    schema = yaml.safe_load(SCHEMA.read_text())["properties"]["benchmark"]["properties"]
    arrivals = schema["scenarios"]["additionalProperties"]["properties"]["arrivals"]
    assert arrivals["properties"]["kind"]["enum"] == list(TAKES)
