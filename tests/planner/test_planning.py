"""Whole plans from made-up cells: what is chosen, what is said beside it, and why there is none."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bertsquad.console.errors import UserError
from bertsquad.planner.cells import read
from bertsquad.planner.page import answer, as_text, number
from bertsquad.planner.planning import make_plan
from bertsquad.planner.wanted import Wanted, wanted
from bertsquad.schema import with_defaults
from made_cells import cell, cells_file

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = yaml.safe_load((ROOT / "config/schemas/config.schema.yaml").read_text("utf-8"))
PRICED = {"prices_as_of": "2026-11-01"}


def asked(plan: dict[str, Any]) -> Wanted:
    full = with_defaults(plan, SCHEMA["properties"]["plan"], SCHEMA)
    return wanted(full, "config.yaml")


def planned(folder: Path, plan: dict[str, Any], **machines: list[dict[str, Any]]) -> dict[str, Any]:
    """plan.json for the cells of each machine; one in the file has no other name than here."""
    files = {
        name: read(cells_file(folder / f"{name}.json", cpu=name, cells=cells))
        for name, cells in machines.items()
    }
    found = make_plan(files, asked(plan))
    json.dumps(found, allow_nan=False)
    return found


def kinds(**prices: float) -> dict[str, Any]:
    return {
        name: {"cells": f"{name}.json", "price": price, "most": 3} for name, price in prices.items()
    }


def test_without_a_plan_it_says_what_this_machine_carries(tmp_path):
    quick = cell("openvino", "int8", factor=0.5, f1_share=0.995, passed=True)
    found = planned(tmp_path, {}, here=[cell(), quick])
    assert found["status"] == "optimal"
    (row,) = found["fleet"]
    assert (row["engine"], row["precision"], row["machines"]) == ("openvino", "int8", 1)
    # Services of 10 and 20 ms for 100 and 300 word pieces; 60 % are short: the median is short.
    assert found["settings"]["slo_ms"] == pytest.approx(50, rel=0.02)
    assert 0.9 * found["point"]["rate"] < found["rate"] <= found["point"]["rate"]
    text = as_text(found)
    assert text.startswith("1 x here (openvino int8, layout 1x1x2, F1 88.0) carries ")
    assert "plan.slo.ms is not given" in text


def test_the_plan_keeps_its_promise_in_the_twin(tmp_path):
    found = planned(tmp_path, {"slo": {"ms": 150}}, here=[cell()])
    (row,) = found["fleet"]
    assert row["predicted_ms"]["low"] <= row["predicted_ms"]["value"] <= 150
    # Every question has 1.25 windows; a machine's second is 1.25 mean services a question.
    mean = 0.6 * 0.020 + 0.4 * 0.040
    assert row["utilisation"] == pytest.approx(found["rate"] * 1.25 * mean, rel=0.02)
    assert row["utilisation"] <= row["most_utilisation"] + 1e-6


def test_the_cheapest_of_two_kinds_of_machines_is_taken_with_all_that_stands_beside(tmp_path):
    plan = {"rate": 40, "slo": {"ms": 150}, "machines": kinds(small=1.0, big=9.0), **PRICED}
    found = planned(tmp_path, plan, small=[cell()], big=[cell(factor=0.2)])
    assert [(row["machine"], row["machines"]) for row in found["fleet"]] == [("small", 3)] or [
        (row["machine"], row["machines"]) for row in found["fleet"]
    ] == [("small", 2)]
    assert found["cost"] == found["fleet"][0]["machines"] * 1.0
    assert found["head_room"]["times"] >= 1
    assert found["point"]["cost"] <= found["cost"]
    prices = {row["machine"]: row for row in found["break_even"]}
    assert prices["small"]["used"]
    assert not prices["big"]["used"]
    assert prices["big"]["below"] == pytest.approx(found["cost"], rel=1e-4)
    assert found["marginal"]["cost"] <= found["cost"] + 1e-9
    costs = [step["cost"] for step in found["staircase"]["sure"]]
    assert costs == sorted(costs)
    ends = [step["to"] for step in found["staircase"]["sure"]]
    assert ends == sorted(ends)
    assert ends[-1] >= 2 * 40 * (1 - 1e-3)  # to twice the demand
    text = as_text(found)
    assert "EUR an hour (prices of 2026-11-01)" in text
    assert "big: enters the plan below" in text


def test_a_spare_machine_is_one_more(tmp_path):
    plan = {"rate": 15, "slo": {"ms": 150}, "machines": {"here": {"most": 5}}}
    one, two = (
        planned(tmp_path, {**plan, "spare": spare}, here=[cell()])["fleet"][0]["machines"]
        for spare in (0, 1)
    )
    assert two == one + 1


def test_a_slo_below_the_service_names_the_services_own_percentile(tmp_path):
    plan = {"rate": 5, "slo": {"ms": 15}, "length_classes": [512]}
    found = planned(tmp_path, plan, here=[cell(noise=0.0)])
    assert found["status"] == "infeasible"
    assert "the quickest service alone (here: demo torch fp32 1x1x2) takes p99 = 40 ms" in answer(
        found
    )
    rows = {row["limit"]: row["to"] for row in found["relaxations"]}
    assert found["relaxations"][0]["limit"] == "slo_ms"
    assert 40 < rows["slo_ms"] < 80
    assert rows["rate"] is None
    assert "\n" not in answer(found)


@pytest.mark.parametrize("slo_ms", [15.0, 47.07])
def test_with_the_slo_that_is_said_to_help_there_is_a_plan(tmp_path, slo_ms):
    # p99 of the service alone is 47.02 ms: so near, its bootstraps are often above it.
    cells = [cell(noise=0.1)]
    plan = {"rate": 1, "slo": {"ms": slo_ms}, "length_classes": [512]}
    found = planned(tmp_path, plan, here=cells)
    assert found["status"] == "infeasible"
    rows = {row["limit"]: row["to"] for row in found["relaxations"]}
    assert 47 < rows["slo_ms"] < 65
    assert f"give plan.slo.ms more (with {rows['slo_ms']:.4g} ms there is a plan)" in answer(found)
    plan["slo"] = {"ms": rows["slo_ms"] * 1.0001}
    assert planned(tmp_path, plan, here=cells)["status"] == "optimal"


def test_a_budget_that_is_too_small_names_the_least(tmp_path):
    plan = {
        "rate": 40, "slo": {"ms": 150}, "budget": 0.5, "machines": kinds(small=1.0), **PRICED,
    }  # fmt: skip
    found = planned(tmp_path, plan, small=[cell()])
    rows = {row["limit"]: row["to"] for row in found["relaxations"]}
    assert rows["budget"] in (2.0, 3.0)
    least = f"for 0.5 EUR an hour: the least is {rows['budget']:g} EUR; raise plan.budget"
    assert least in answer(found)


@pytest.mark.parametrize(
    ("plan", "limit", "to"),
    [
        ({"minimum_f1": 90}, "minimum_f1", 88.0),
        ({"minimum_f1_share": 0.999}, "minimum_f1_share", 0.98),
        ({"machines": {"here": {"memory_mib": 100}}}, "memory_mib", 889),
        ({"machines": {"here": {"most": 0}}}, "most of here", 1),
    ],
)
def test_each_limit_alone_is_the_relaxation_that_is_listed_first(tmp_path, plan, limit, to):
    plan = {"rate": 5, "slo": {"ms": 150}, **plan}
    found = planned(tmp_path, plan, here=[cell(f1_share=0.98, passed=True)])
    assert found["status"] == "infeasible"
    assert found["relaxations"][0] == {"limit": limit, "to": pytest.approx(to)}
    assert [row["to"] for row in found["relaxations"][1:]] == [None] * (
        len(found["relaxations"]) - 1
    )


def test_the_memory_that_is_said_to_help_does(tmp_path):
    # The smaller option fits into 889 MiB, but is too slow for the SLO.
    slow = cell("openvino", factor=9.0, peak_mib=800.0)
    plan = {"rate": 5, "slo": {"ms": 150}, "machines": {"here": {"memory_mib": 100}}}
    found = planned(tmp_path, plan, here=[cell(peak_mib=1801.0), slow])
    assert found["relaxations"][0] == {"limit": "memory_mib", "to": 2002}
    plan["machines"]["here"]["memory_mib"] = 2002
    assert planned(tmp_path, plan, here=[cell(peak_mib=1801.0), slow])["status"] == "optimal"


def test_too_few_requests_are_no_plan_but_a_line_that_says_what_to_do(tmp_path):
    with pytest.raises(UserError) as error:
        planned(tmp_path, {}, here=[cell(requests=50)])
    assert "50 requests, p99 takes 368" in str(error.value)
    assert "benchmark.iterations 368" in str(error.value)
    # Of the 95th percentile 72 are enough.
    assert planned(tmp_path, {"slo": {"percentile": 95}}, here=[cell(requests=80)])["rate"] > 0


def test_disturbed_cells_are_planned_with_only_where_there_is_nothing_else(tmp_path):
    disturbed = cell("openvino", factor=0.1, validity="disturbed", disturbed_by="busy 1.5 CPUs")
    found = planned(tmp_path, {}, here=[cell(), disturbed])
    assert found["fleet"][0]["engine"] == "torch"
    assert {row["reason"] for row in found["dropped"]} == {"disturbed"}
    alone = planned(tmp_path, {}, here=[disturbed])
    assert alone["fleet"][0]["engine"] == "openvino"
    assert "not to be trusted: here: demo openvino fp32 1x1x2" in as_text(alone)


def test_failed_emulated_and_invalid_cells_are_left_out(tmp_path):
    bad = [
        cell("openvino", "int8", factor=0.1, passed=False, f1_share=0.9),
        cell("openvino", "bf16", factor=0.1, native=False),
        cell("onnxruntime", factor=0.1, validity="invalid", disturbed_by="throttled 3 s"),
    ]
    found = planned(tmp_path, {}, here=[cell(), *bad])
    assert found["fleet"][0]["engine"] == "torch"
    assert sorted(row["reason"] for row in found["dropped"]) == ["F1", "emulated", "invalid"]


def test_where_all_cells_are_invalid_it_says_to_measure_again(tmp_path):
    invalid = cell(validity="invalid", disturbed_by="waited 3.2 of our time")
    with pytest.raises(UserError) as error:
        planned(tmp_path, {}, here=[invalid])
    assert str(error.value) == (
        "no cell can be planned with: invalid: 1 (here: demo torch fp32 1x1x2: waited 3.2 of our "
        "time); measure again on a quiet machine: snakemake --forcerun benchmark_inference"
    )


def test_what_was_compared_without_a_score_keeps_no_share_that_is_asked_for(tmp_path):
    unknown = cell("openvino", "int8", factor=0.1, passed=True, f1_share=None)
    found = planned(tmp_path, {"minimum_f1_share": 0.99}, here=[cell(), unknown])
    assert found["fleet"][0]["precision"] == "fp32"
    assert [row["reason"] for row in found["dropped"]] == ["F1"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.3333e-5, "0.00003333"), (0.5, "0.5"), (153.44, "153.4"), (12480, "12,480")],
)
def test_a_number_has_no_exponent(value, text):
    assert number(value) == text


def test_a_class_too_slow_for_one_machine_is_sent_to_the_other(tmp_path):
    # small: 20 and 40 ms; the SLO lets it answer only the short ones.
    plan = {"rate": 15, "slo": {"ms": 39}, "machines": kinds(small=1.0, big=9.0), **PRICED}
    found = planned(tmp_path, plan, small=[cell()], big=[cell(factor=0.2)])
    for row in found["fleet"]:
        if row["machine"] == "small":
            assert set(row["rates"]) == {"up to 192"}
    served = dict.fromkeys(("up to 192", "up to 512"), 0.0)
    for row in found["fleet"]:
        for name, rate in row["rates"].items():
            served[name] += rate
    assert served == pytest.approx({"up to 192": 9.0, "up to 512": 6.0})
