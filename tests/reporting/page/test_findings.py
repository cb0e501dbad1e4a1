"""The facts that the report opens with."""

import pytest

from bertsquad.reporting.page.findings import Speedup, constant_columns, findings
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.summary import Summary
from fake_results import (
    Results,
    add_cell,
    add_comparison,
    add_log,
    add_metrics,
    cell,
    demo,
    engines,
    refused_cell,
)


def found(results):
    summary = tables.summarize(
        results.metrics, results.cells, results.logs, comparisons=results.comparisons
    )
    return findings(Summary(summary))


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
    assert facts.left_out == []
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


def test_emulated_precisions_are_left_out(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0))
    add_cell(results, "run", cell("torch", "bf16", "padded", 8, 40.0, native=False))
    facts = found(results)
    assert [(each.precision, each.kind) for each in facts.left_out] == [("bf16", "emulated")]
    assert (facts.fastest["precision"], facts.quickest["precision"]) == ("fp32", "fp32")
    assert facts.speedups == []


def test_failed_precisions_are_left_out(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "run", "torch-fp32", 80.0, 90.0)
    add_metrics(results, "run", "openvino-int8", 70.0, 81.0)
    add_comparison(results, "run", "openvino-int8", 0.9)
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0))
    add_cell(results, "run", cell("openvino", "int8", "padded", 8, 40.0))
    facts = found(results)
    assert [each.reason for each in facts.left_out] == [
        "keeps less than 99\u00a0% of FP32’s F1: 90.00\u00a0%"
    ]
    assert facts.fastest["engine"] == "torch"
    assert facts.compared == ["torch-fp32"]
    assert [row["engine"] for row in facts.failed] == ["openvino"]


def test_what_failed_never_leads(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "good", "torch-fp32", 80.0, 90.0)
    add_metrics(results, "odd", "torch-fp32", 85.0, 97.0)
    add_metrics(results, "odd", "openvino-int8", 85.0, 95.0)
    add_comparison(results, "odd", "openvino-int8", 0.98, reference_f1=97.0)
    results.metrics.pop(1)
    facts = found(results)
    assert [row["engine"] for row in facts.failed] == ["openvino"]
    assert (facts.best["run"], facts.best["f1"]) == ("good", 90.0)


def test_a_precision_may_fail_in_one_run_and_pass_in_another(tmp_path):
    results = Results(tmp_path)
    for run, share in (("a", 0.995), ("b", 0.98)):
        add_metrics(results, run, "torch-fp32", 80.0, 90.0)
        add_metrics(results, run, "torch-bf16", 80.0, 90.0 * share)
        add_comparison(results, run, "torch-bf16", share)
        add_cell(results, run, cell("torch", "bf16", "padded", 8, 10.0 if run == "a" else 20.0))
    facts = found(results)
    assert [each.reason for each in facts.left_out] == [
        "keeps less than 99\u00a0% of FP32’s F1: 98.00\u00a0% in run b"
    ]
    assert facts.fastest["run"] == "a"


def test_refused_cells_are_left_out_with_their_reason(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run", refused_cell("openvino", "bf16", "padded", "batches", 8))
    facts = found(results)
    assert [(each.kind, each.reason) for each in facts.left_out] == [
        ("refused", "this processor emulates bf16")
    ]
    assert (facts.cells, facts.fastest) == (0, None)


def test_from_texts_to_answers_the_best_is_judged_by_questions_per_second(tmp_path):
    facts = found(engines(tmp_path))
    assert (facts.served["engine"], facts.served["precision"]) == ("openvino", "int8")
    assert facts.served["questions_per_second"] == pytest.approx(0.98 * 2.2 * 2.91)
    assert facts.fastest["scenario"] == "offline"
    assert facts.quickest["batch_size"] == 1


def test_engines_are_compared_with_the_first_in_the_same_precision(tmp_path):
    results = Results(tmp_path)
    for engine, factor in (("torch", 1.0), ("openvino", 1.5)):
        add_cell(results, "run", cell(engine, "fp32", "padded", 8, 10.0 * factor))
        add_cell(results, "run", cell(engine, "bf16", "padded", 8, 20.0 * factor))
    assert found(results).engine_speedups == [Speedup("openvino", "torch", 1.5, 1.5, 1.5, 2)]


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
    facts = findings(Summary(tables.summarize([], [], [])))
    assert (facts.best, facts.fastest, facts.cells, facts.runs) == (None, None, 0, [])


def test_constant_columns():
    rows = [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    assert constant_columns(rows, ["a", "b"]) == {"a": 1}
    assert constant_columns([], ["a"]) == {}
