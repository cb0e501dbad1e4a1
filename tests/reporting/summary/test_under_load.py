"""Cells of layouts in summary.csv: layout, load, capacity, the twin's verdict."""

import pandas as pd
import pytest

from bertsquad.console.errors import UserError
from bertsquad.reporting.page.sections import cell_table
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.summary import Summary, records
from fake_report import render
from fake_results import cell, demo, write


def served(load="share0.7", layout="2x1x1", mode="server", **changes):
    data = cell("torch", "fp32", "server", 1, 8.4)
    data |= {
        "mode": mode,
        "load": load,
        "threads_requested": layout,
        "layout": {"instances": 2, "streams": 1, "threads": 1},
        "requests": 400,
        "service": {"mean_ms": 160.0},
        "capacity": {"features_per_second": 12.0},
        "arrivals": {"kind": "poisson", "rate": 8.4, "share": 0.7},
        "twin": {"verdict": "fits", "p99_ms": {"at_load": {"value": 512.5}}},
    }
    return data | changes


def add(root, data, layout="2x1x1"):
    name = f"layout{layout}-{data['load']}-repeat1.json"
    return write(root / "run-a/torch-fp32/benchmark/server" / name, data)


def test_a_server_cell_has_its_layout_load_and_twin(tmp_path):
    path = add(tmp_path, served())
    row = tables.summarize([], [path], []).iloc[0].to_dict()
    assert {name: row[name] for name in ("mode", "layout", "load", "twin", "threads")} == {
        **{"mode": "server", "layout": "2x1x1", "load": "share0.7", "twin": "fits", "threads": 2},
    }
    assert (row["arrival_rate"], row["arrival_share"], row["capacity_per_second"]) == (8.4, 0.7, 12)
    assert (row["requests"], row["twin_p99_ms"], row["service_mean_ms"]) == (400, 512.5, 160.0)
    assert row["latency_p99_ms"] == served()["latency_ms"]["p99"]["value"]


def test_the_highest_rate_within_an_slo(tmp_path):
    data = served(
        "slo300", slo={"ms": 300, "met": True}, search={"status": "confirmed", "rate": 9.0}
    )
    row = tables.summarize([], [add(tmp_path, data)], []).iloc[0].to_dict()
    assert (row["slo_ms"], row["slo_met"], row["slo_search"]) == (300, True, "confirmed")


def test_saturated_cells_have_no_latency(tmp_path):
    data = served("saturated", "auto", "saturated")
    del data["latency_ms"], data["twin"]
    row = tables.summarize([], [add(tmp_path, data, "auto")], []).iloc[0].to_dict()
    assert (row["layout"], row["load"], row["mode"]) == ("2x1x1", "saturated", "saturated")
    assert pd.isna(row["latency_p50_ms"])
    assert row["features_per_second"] == 8.4


def test_none_is_the_fastest_or_the_quickest_of_all_and_all_are_in_the_table(tmp_path):
    paths = [add(tmp_path, served()), add(tmp_path, served("rate3"))]
    output = tmp_path / "summary.csv"
    tables.summarize([], paths, []).to_csv(output, index=False)
    summary = Summary.read(output)
    assert len(summary.results()) == 0
    table = cell_table(records(summary.cells))
    heads = [head for head, _ in table.heads]
    assert {"layout", "load", "arrivals", "capacity", "twin"} <= set(heads)
    assert len(table.rows) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": None}, "of a cell under load; measure it again"),
        ({"twin": {}}, "'verdict' of a cell under load"),
        ({"load": "rate3"}, "load"),
        ({"threads_requested": "auto"}, "threads_requested"),
    ],
)
def test_another_file_is_refused(tmp_path, changes, message):
    path = tmp_path / "run-a/torch-fp32/benchmark/server/layout2x1x1-share0.7-repeat1.json"
    write(path, served() | changes)
    with pytest.raises(UserError, match=message):
        tables.summarize([], [path], [])


def test_the_report_says_what_the_scenario_does_and_lists_the_layout(tmp_path):
    results = demo(tmp_path)
    data = served()
    path = results.root / "demo-fp32/torch-fp32/benchmark/server/layout2x1x1-share0.7-repeat1.json"
    results.cells.append(write(path, data))
    html = render(results)
    assert "Scenario <b>server</b> gets requests at a rate, whether or not a lane" in html
    assert ">2x1x1<" in html
    assert ">share0.7<" in html
