"""What counts as a result."""

import pandas as pd
import pytest

from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.standing import percent, standing
from bertsquad.reporting.summary.summary import Summary, records
from fake_results import Results, add_cell, add_comparison, add_metrics, cell


@pytest.mark.parametrize(
    ("passed", "native", "expected"),
    [
        (True, True, ""),
        (pd.NA, pd.NA, ""),
        (None, None, ""),
        (pd.NA, False, "emulated"),
        (False, True, "failed"),
        (False, False, "failed"),
    ],
)
def test_what_failed_or_is_emulated_is_no_result(passed, native, expected):
    assert standing({"passed": passed, "native": native}) == expected


def test_cells_that_nothing_speaks_against_are_results(tmp_path):
    made = Results(tmp_path)
    for precision, share in (("bf16", 0.995), ("int8", 0.9)):
        add_metrics(made, "run", f"openvino-{precision}", 80.0, 90.0)
        add_comparison(made, "run", f"openvino-{precision}", share)
        add_cell(made, "run", cell("openvino", precision, "padded", 8, 4.0))
    add_cell(made, "run", cell("torch", "bf16", "padded", 8, 4.0, native=False))
    add_cell(made, "run", cell("torch", "fp32", "padded", 8, 4.0))
    summary = tables.summarize(made.metrics, made.cells, [], comparisons=made.comparisons)
    counted = Summary(summary).results()
    assert counted[["engine", "precision"]].to_numpy().tolist() == [
        ["torch", "fp32"],
        ["openvino", "bf16"],
    ]


def test_a_disturbed_cell_is_no_result(tmp_path):
    made = Results(tmp_path)
    add_cell(made, "run", cell("torch", "fp32", "padded", 8, 400.0, waited=0.3))
    add_cell(made, "run", cell("torch", "fp32", "padded", 1, 40.0, waited=0.02))
    add_cell(made, "run", cell("torch", "fp32", "padded", 32, 4.0))
    summary = Summary(tables.summarize(made.metrics, made.cells, []))
    assert summary.results()["batch_size"].tolist() == [32]
    rows = records(summary.cells)
    assert {row["batch_size"]: row["validity"] for row in rows} == {
        **{1: "disturbed", 8: "invalid", 32: "valid"}
    }
    assert [standing(row) for row in rows] == ["disturbed", "disturbed", ""]


def test_of_repeats_the_undisturbed_ones_count(tmp_path):
    made = Results(tmp_path)
    for repeat, rate, waited in ((1, 90.0, 0.02), (2, 100.0, 0.0), (3, 104.0, 0.0)):
        data = cell("torch", "fp32", "padded", 8, rate, repeat=repeat, waited=waited)
        add_cell(made, "run", data)
    (found,) = records(Summary(tables.summarize(made.metrics, made.cells, [])).results())
    assert (found["features_per_second"], found["validity"]) == (102.0, "valid")


def test_shares_are_written_in_percent():
    assert percent(0.97204) == "97.20\u00a0%"
    assert percent(0.99, digits=None) == "99\u00a0%"
    assert percent(0.995, digits=None) == "99.5\u00a0%"
