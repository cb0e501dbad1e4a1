"""Predictions of one run beside runs whose truth is known, and the record of hits and misses."""

import json
from dataclasses import replace

import numpy as np
import pytest

import check_plan
import fake_results
from bertsquad.benchmark.twin import fcfs
from bertsquad.console.errors import UserError
from bertsquad.planner.cells import read
from bertsquad.planner.check import (
    Measured,
    checks,
    expected_run,
    in_words,
    read_record,
    summary,
)
from bertsquad.planner.demand import LengthClass
from bertsquad.planner.export import describe_machine
from bertsquad.planner.services import Services
from bertsquad.planner.spread import UNKNOWN, Spread
from made_cells import cells_file

CLASSES = {"all": LengthClass("all", 1.0, np.array([100, 300]))}
RATE, REQUESTS = 20.0, 1000


def services(random: np.random.Generator, requests: int) -> Services:
    lengths = random.choice([100, 300], requests)
    noise = np.exp(0.05 * random.standard_normal(requests))
    return Services(lengths, (0.01 + 1e-4 * lengths) * noise)


def run(random: np.random.Generator, factor: float = 1.0) -> np.ndarray:
    """Latencies of a real server, in ms."""
    arrivals = np.cumsum(random.exponential(1 / RATE, REQUESTS))
    return 1000 * fcfs(arrivals, factor * services(random, REQUESTS).seconds, 1)


def test_about_95_percent_of_runs_lie_in_the_interval():
    random = np.random.default_rng(3)
    found = expected_run(services(random, 800), CLASSES, {"all": 1.0}, 1, RATE, REQUESTS, 99)
    inside = 0
    for _ in range(200):
        p99 = np.percentile(run(random), 99, method="inverted_cdf")
        inside += found["low"] <= p99 <= found["high"]
    assert 176 <= inside <= 199
    assert found["low"] < found["value"] < found["high"]


def test_processes_that_differ_make_the_interval_wider():
    own = services(np.random.default_rng(3), 800)
    one, many = (
        expected_run(replace(own, spread=spread), CLASSES, {"all": 1.0}, 1, RATE, REQUESTS, 99)
        for spread in (UNKNOWN, Spread(0.1, 20))
    )
    assert many["low"] < one["low"] < one["high"] < many["high"]


def planned(**changes):
    return {
        "status": "optimal",
        "machines": {"here": {"cpu": "Example", "fingerprint": "f" * 16}},
        "settings": {"percentile": 99, "slo_ms": 200.0, "windows": 1.0, "classes": {"all": 1.0}},
        "fleet": [
            {
                "option": "here: demo torch fp32 1x1x2",
                "machine": "here",
                "machines": 2,
                "rates": {"all": 2 * RATE},
            }
        ],
        **changes,
    }


@pytest.fixture
def files(tmp_path):
    file = read(cells_file(tmp_path / "cells.json"))
    return {"here": file}


def checked(files, plan, factor, fingerprint="f" * 16):
    """The server is `factor` times as slow as its cells."""
    asked = []

    def serve(row, rate):
        asked.append(rate)
        random = np.random.default_rng(5)
        return Measured(run(random, factor), "valid", "fits", 1.0, "2026-01-02")

    return checks(plan, files, {"here": CLASSES}, fingerprint, serve), asked


def test_each_machine_gets_its_share_and_what_is_as_predicted_is_confirmed(files):
    (row,), asked = checked(files, planned(), 1.0)
    assert asked == [RATE]
    assert (row["verdict"], row["within_slo"]) == ("confirmed", True)
    assert in_words(row).startswith("confirmed: here: demo torch fp32 1x1x2 at 20 requests/s: p99 ")
    assert in_words(row).endswith("within the SLO of 200 ms")


def test_a_slower_server_is_refuted(files):
    (row,), _ = checked(files, planned(), 1.5)
    assert (row["verdict"], row["within_slo"]) == ("refuted", False)


def test_what_is_for_another_machine_or_another_mix_is_not_checked(files):
    plan = planned()
    plan["machines"]["epyc"] = {"cpu": "Other", "fingerprint": "a" * 16}
    plan["fleet"][0]["machine"] = "epyc"
    (row,), asked = checked(files, plan, 1.0)
    assert (row["verdict"], asked) == ("not checked", [])
    plan = planned()
    plan["settings"]["classes"] = {"all": 0.5, "long": 0.5}
    assert "another mix" in checked(files, plan, 1.0)[0][0]["why"]


def test_a_spare_machine_that_is_sent_nothing_is_not_checked(files):
    plan = planned()
    plan["fleet"][0]["rates"] = {}
    (row,), asked = checked(files, plan, 1.0)
    assert (row["verdict"], asked) == ("not checked", [])
    assert "sent nothing" in in_words(row)


@pytest.mark.parametrize("change", [{"option": "here: demo torch bf16 1x1x2"}, {"machine": "x"}])
def test_an_option_of_other_cells_is_refused_in_one_line(files, change):
    plan = planned()
    plan["fleet"][0] |= change
    plan["machines"]["x"] = plan["machines"]["here"]
    with pytest.raises(UserError, match="not among the cells that are given"):
        checked(files, plan, 1.0)


def test_no_two_checks_have_the_same_arrivals(tmp_path, monkeypatch, capsys):
    machine = fake_results.write(tmp_path / "machine.json", fake_results.MACHINE)
    here = describe_machine(fake_results.MACHINE, "machine.json")["fingerprint"]
    plan = planned(machines={"here": {"cpu": "Example", "fingerprint": here}})
    plan["settings"]["classes"] = plan["fleet"][0]["rates"] = {"up to 192": 0.6, "up to 512": 0.4}
    wanted = {
        "rate": None, "lengths": "dataset", "length_classes": [192, 512], "budget": None,
        "slo": {"percentile": 99, "ms": None}, "minimum_f1": None, "minimum_f1_share": None,
        "objective": None, "confidence": 0.95, "spare": 0, "currency": "EUR",
        "prices_as_of": None, "machines": {"here": {**dict.fromkeys(("cells", "price")), "most": 1,
        "memory_mib": None}},
    }  # fmt: skip
    cells = cells_file(tmp_path / "cells.json")
    options = [
        *("--plan", fake_results.write(tmp_path / "plan.json", plan), "--machine", machine),
        *("--asked", json.dumps(wanted), "--cells", "here", cells, "--results", tmp_path),
        *("--run", "demo", "features", "model", "--record", tmp_path / "record.jsonl"),
        *("--runs", tmp_path / "runs"),
    ]
    seeds = []

    def measured(args, row, rate, seed):
        seeds.append(seed)
        return Measured(run(np.random.default_rng(5)), "valid", "fits", 1.0, "2026-01-02")

    monkeypatch.setattr(check_plan, "measured", measured)
    monkeypatch.setattr("sys.argv", ["check_plan.py", *map(str, options)])
    for _ in range(3):
        check_plan.main()
    assert len(set(seeds)) == 6
    assert (
        capsys.readouterr()
        .out.splitlines()[-1]
        .endswith("of 6 predictions so far within their interval")
    )


def test_a_machine_that_is_not_in_the_plan_is_told_where_to_go(files):
    with pytest.raises(UserError, match=r"not one of the plan \(here is a Example\); copy"):
        checked(files, planned(), 1.0, fingerprint="0" * 16)
    with pytest.raises(UserError, match="nothing to check"):
        checked(files, planned(status="infeasible"), 1.0)


def test_the_record_counts_hits_and_misses(tmp_path):
    path = tmp_path / "record.jsonl"
    assert read_record(path) == []
    rows = [{"verdict": "confirmed"}, {"verdict": "refuted"}, {"verdict": "confirmed"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert summary(read_record(path)) == "2 of 3 predictions so far within their interval"
    path.write_text('{"verdict": "confirmed"}\n[]\n')
    with pytest.raises(UserError, match="line 2 is no check of a plan"):
        read_record(path)
