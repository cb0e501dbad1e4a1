"""The facts that the report opens with."""

import pytest

from bertsquad.reporting import tables
from bertsquad.reporting.findings import Speedup, constant_columns, findings
from fake_results import Results, add_cell, add_log, add_metrics, cell, demo


def found(results):
    return findings(tables.summarize(results.metrics, results.cells, results.logs))


def test_the_demo(tmp_path):
    facts = found(demo(tmp_path))
    assert (facts.best["run"], facts.best["precision"], facts.best["f1"]) == (
        "demo-fp32",
        "fp32",
        91.4,
    )
    assert facts.untrained_best["f1"] == 6.3
    assert facts.precision_effect == pytest.approx(0.1)
    assert facts.fastest["features_per_second"] == pytest.approx(438.9)
    assert (facts.fastest["precision"], facts.fastest["batch_size"]) == ("bf16", 32)
    assert facts.quickest["latency_p50_ms"] == pytest.approx(3.5804, abs=1e-4)
    assert facts.cells == 12
    assert facts.emulated == []
    assert facts.measured == ["2026-01-02", "2026-01-02"]


def test_speedups_compare_cells_that_differ_in_nothing_else(tmp_path):
    results = Results(tmp_path)
    for batch, fp32, bf16 in ((1, 10.0, 15.0), (8, 20.0, 50.0), (32, 30.0, 60.0)):
        add_cell(results, "run", cell("torch", "fp32", "padded", batch, fp32))
        add_cell(results, "run", cell("torch", "bf16", "padded", batch, bf16))
    add_cell(results, "run", cell("torch", "bf16", "padded", 64, 1000.0))  # has no partner
    assert found(results).speedups == [Speedup("bf16", "fp32", 2.0, 1.5, 2.5, 3)]


def test_real_lengths_are_compared_with_padding_whatever_the_scenarios_are_called(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0))
    add_cell(results, "run", cell("torch", "fp32", "packed", 8, 18.0))
    add_cell(results, "run", cell("torch", "fp32", "sorted", 8, 22.0))
    assert found(results).unpadded == Speedup("none", "max_length", 2.2, 2.2, 2.2, 1)


def test_nothing_to_compare_is_no_speedup(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0))
    facts = found(results)
    assert facts.speedups == []
    assert facts.unpadded is None
    assert facts.best is None


def test_emulated_precisions_are_named(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0))
    add_cell(results, "run", cell("torch", "bf16", "padded", 8, 4.0, native=False))
    assert found(results).emulated == ["bf16"]


def test_the_fastest_cell_is_judged_by_the_median_of_its_repeats(tmp_path):
    results = Results(tmp_path)
    for repeat, speed in enumerate((10.0, 11.0, 99.0), start=1):
        add_cell(results, "run", cell("torch", "fp32", "padded", 1, speed, repeat=repeat))
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 20.0))
    assert found(results).fastest["batch_size"] == 8


def test_without_a_trained_run_there_is_no_untrained_one_to_compare_with(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "published", "torch-fp32", 86.0, 92.0)
    add_log(results, "published", 0)
    facts = found(results)
    assert facts.best["run"] == "published"
    assert facts.untrained_best is None


def test_an_empty_summary_has_no_findings():
    facts = findings(tables.summarize([], [], []))
    assert (facts.best, facts.fastest, facts.cells, facts.runs) == (None, None, 0, [])


def test_constant_columns():
    rows = [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    assert constant_columns(rows, ["a", "b"]) == {"a": 1}
    assert constant_columns([], ["a"]) == {}
