"""From files to one tidy table: every row and value where it belongs, every mistake named."""

import json

import pandas as pd
import pytest

from bertsquad.console.errors import UserError
from bertsquad.reporting.summary import tables, training_log
from bertsquad.reporting.summary.columns import COLUMNS, NAMES
from bertsquad.reporting.summary.summary import Summary
from fake_results import (
    Results,
    add_cell,
    add_comparison,
    add_log,
    add_metrics,
    cell,
    config,
    demo,
    refused_cell,
    whole_set_cell,
    write,
)


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path / "anywhere")


def summarize(results, settings=None):
    return tables.summarize(
        results.metrics,
        results.cells,
        results.logs,
        settings,
        comparisons=results.comparisons,
    )


def test_a_cell_row_holds_identity_accuracy_timing_and_training(results):
    add_metrics(results, "run-a", "torch-bf16", 80.0, 88.0, width=2.0)
    add_comparison(results, "run-a", "torch-bf16", 0.97, changed=31, logits=0.75)
    add_cell(results, "run-a", cell("torch", "bf16", "padded", 8, 100.0, repeat=2))
    add_log(results, "run-a", 100)
    row = summarize(results, config(runs=("run-a",))).iloc[0].to_dict()
    assert {name: row[name] for name in NAMES[:33]} == {
        "run": "run-a",
        "checkpoint": "synthetic",
        "dataset": "synthetic",
        "training_precision": "fp32",
        "engine": "torch",
        "precision": "bf16",
        "native": True,
        "questions": 500,
        "exact_match": 80.0,
        "exact_match_low": 78.0,
        "exact_match_high": 82.0,
        "f1": 88.0,
        "f1_low": 86.0,
        "f1_high": 90.0,
        "confidence": 0.95,
        "unanswered": 0,
        "official_script": "agrees",
        "reference": "torch-fp32",
        "f1_share": 0.97,
        "changed_answers": 31,
        "max_logit_difference": 0.75,
        "minimum_f1_share": 0.99,
        "passed": False,
        "scenario": "padded",
        "mode": "batches",
        "refused": "",
        "padding": "max_length",
        "max_seq_length": 384,
        "batch_size": 8,
        "threads": 2,
        "threads_requested": "2",
        "repeat": 2,
        "warmup_iterations": 5,
    }
    assert row["iterations"] == 400
    assert row["features"] == 3200
    assert row["tokens"] == 576000
    assert row["computed_tokens"] == 1228800
    assert row["features_per_second"] == 100.0
    assert row["useful_tokens_per_second"] == 18000.0
    assert row["latency_p50_ms"] == 80.0
    assert row["latency_p99_ms"] == 96.0
    assert row["latency_p99_low_ms"] == pytest.approx(94.08)
    assert row["latency_p99_high_ms"] == pytest.approx(97.92)
    assert row["peak_memory_mib"] == 812.5
    assert row["model_load_s"] == 0.42
    assert row["first_inference_s"] == 0.031
    assert row["cpu"] == "Example Processor 9000"
    assert row["started_at"] == "2026-01-02T03:04:05+00:00"
    assert row["train_steps"] == 100
    assert row["train_examples"] == 2400
    assert row["train_tokens"] == 96000
    assert row["train_threads"] == 2
    assert row["train_seconds"] == pytest.approx(5.0)
    assert row["train_tokens_per_second"] == pytest.approx(19200.0)


def test_a_model_that_was_scored_but_not_timed_has_one_row(results):
    add_metrics(results, "run-a", "torch-fp32", 80.0, 88.0)
    add_metrics(results, "run-a", "torch-bf16", 79.0, 87.0)
    add_cell(results, "run-a", cell("torch", "fp32", "padded", 1, 10.0))
    summary = summarize(results)
    assert summary[["precision", "scenario", "f1"]].to_numpy().tolist() == [
        ["fp32", "padded", 88.0],
        ["bf16", "", 87.0],
    ]


def test_a_timed_model_without_a_score_keeps_its_row(results):
    add_cell(results, "run-a", cell("torch", "fp32", "padded", 1, 10.0))
    summary = summarize(results)
    assert summary["features_per_second"].tolist() == [10.0]
    assert summary["f1"].isna().all()


def test_no_files_make_an_empty_table_with_all_columns():
    summary = tables.summarize([], [], [])
    assert list(summary.columns) == list(NAMES)
    assert summary.empty


def test_rows_are_sorted_by_what_they_measure_whatever_the_order_of_the_files(tmp_path):
    results = demo(tmp_path)
    forwards = summarize(results)
    backwards = tables.summarize(results.metrics[::-1], results.cells[::-1], results.logs[::-1])
    forwards_again = summarize(results)
    pd.testing.assert_frame_equal(forwards, backwards)
    pd.testing.assert_frame_equal(forwards, forwards_again)
    cells = Summary(forwards).cells
    assert cells["precision"].tolist() == ["fp32"] * 6 + ["bf16"] * 6
    assert cells["batch_size"].tolist() == [1, 8, 32] * 4


def test_summary_survives_the_way_through_csv(tmp_path):
    summary = summarize(demo(tmp_path), config())
    summary.to_csv(tmp_path / "summary.csv", index=False)
    pd.testing.assert_frame_equal(Summary.read(tmp_path / "summary.csv").table, summary)


def test_a_run_named_like_a_missing_value_stays_a_name(results, tmp_path):
    add_metrics(results, "NA", "torch-fp32", 80.0, 88.0)
    summarize(results).to_csv(tmp_path / "summary.csv", index=False)
    assert Summary.read(tmp_path / "summary.csv").table["run"].tolist() == ["NA"]


def test_integers_are_written_without_a_point_beside_missing_ones(results):
    add_metrics(results, "run-a", "torch-fp32", 80.0, 88.0)
    add_cell(results, "run-b", cell("torch", "fp32", "padded", 8, 10.0))
    lines = summarize(results).to_csv(index=False).splitlines()
    assert ",padded,batches,,max_length,384,8,2,2,1,5,400,3200," in lines[2]


def test_what_the_machine_would_not_tell_is_missing(results):
    data = cell("torch", "fp32", "padded", 1, 10.0)
    data["peak_memory_mib"] = {"unavailable": "no /proc"}
    add_cell(results, "run-a", data)
    assert summarize(results)["peak_memory_mib"].isna().all()


def test_a_run_of_no_steps_has_no_training_figures(results):
    add_metrics(results, "untrained", "torch-fp32", 1.0, 5.0)
    add_log(results, "untrained", 0)
    row = summarize(results).iloc[0]
    assert row["train_steps"] == 0
    assert pd.isna(row["train_seconds"])
    assert pd.isna(row["train_final_loss"])


def test_training_time_counts_both_parts_of_a_resumed_run():
    assert training_log.elapsed(pd.Series([1.0, 2.0, 3.0, 1.5, 2.5])) == pytest.approx(5.5)


def test_final_loss_is_the_mean_of_the_last_twentieth(results):
    add_log(results, "run-a", 40)
    last_two = training_log.read_training_log(results.logs[0])["loss"].iloc[-2:].mean()
    assert training_log.training_totals(results.logs[0])["train_final_loss"] == pytest.approx(
        last_two
    )


def test_medians_are_taken_over_repeats_only(results):
    for repeat, speed in enumerate((10.0, 30.0, 20.0), start=1):
        add_cell(results, "run-a", cell("torch", "fp32", "padded", 1, speed, repeat=repeat))
    add_cell(results, "run-a", cell("torch", "fp32", "padded", 8, 99.0))
    typical = Summary(summarize(results)).medians()
    assert typical[["batch_size", "features_per_second", "repeats"]].to_numpy().tolist() == [
        [1, 20.0, 3],
        [8, 99.0, 1],
    ]


def test_all_threads_and_as_many_threads_are_two_measurements(results):
    data = cell("torch", "fp32", "padded", 1, 10.0)
    add_cell(results, "run-a", data)
    other = results.cells[0].with_name("batch1-threadsall-repeat1.json")
    results.cells.append(write(other, data))
    assert summarize(results)["threads"].tolist() == [2, 2]


def test_an_engine_may_have_a_dash_in_its_name(results):
    add_metrics(results, "run-a", "onnx-runtime-fp32", 80.0, 88.0)
    row = summarize(results).iloc[0]
    assert (row["engine"], row["precision"]) == ("onnx-runtime", "fp32")


def test_every_column_has_a_meaning_and_a_name_of_its_own():
    assert len(set(NAMES)) == len(NAMES)
    assert all(column.meaning for column in COLUMNS)


def broken_cell(results, **changes):
    data = cell("torch", "fp32", "padded", 1, 10.0)
    add_cell(results, "run-a", data)
    write(results.cells[0], {**data, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "bf16"}, "`precision` is 'bf16' in the file but 'fp32' in its path"),
        ({"batch_size": 4}, "`batch_size` is 4 in the file but 1 in its path"),
        ({"features_per_second": None}, "`features_per_second` is None, expected a number"),
        ({"features_per_second": "10"}, "`features_per_second` is '10', expected a number"),
        ({"latency_ms": None}, "no `latency_ms`"),
        ({"mode": "end_to_end"}, "`questions_per_second` is None, expected a number"),
        ({"mode": "bursts"}, "mode 'bursts'; expected one of batches, offline, end_to_end"),
    ],
)
def test_a_cell_that_contradicts_itself_is_named(results, changes, message):
    broken_cell(results, **changes)
    with pytest.raises(UserError) as caught:
        summarize(results)
    assert message in str(caught.value)
    assert "batch1-threads2-repeat1.json" in str(caught.value)


def test_two_files_for_the_same_score_are_both_named(results, tmp_path):
    add_metrics(results, "run-a", "torch-fp32", 80.0, 88.0)
    other = Results(tmp_path / "elsewhere")
    add_metrics(other, "run-a", "torch-fp32", 80.0, 88.0)
    results.metrics += other.metrics
    with pytest.raises(UserError, match=r"elsewhere.*measures the same as .*anywhere"):
        summarize(results)


@pytest.mark.parametrize(
    "path",
    [
        *("metrics.json", "run/torch/metrics.json", "torch-fp32/metrics.json"),
        *("torch-fp32/machines/half/metrics.json", "run/torch/machines/half/metrics.json"),
    ],
)
def test_metrics_in_a_strange_place_are_refused(tmp_path, path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="expected a path like"):
        tables.read_metrics(path)


def test_a_score_that_is_not_a_number_is_refused(results):
    add_metrics(results, "run-a", "torch-fp32", 80.0, 88.0)
    write(results.metrics[0], {"exact_match": 80.0})
    with pytest.raises(UserError, match="`f1` is None, expected a number"):
        summarize(results)


@pytest.mark.parametrize("line", ["{", "[]", '{"step": 1}'])
def test_a_damaged_training_log_is_named_with_the_line(results, line):
    add_log(results, "run-a", 2)
    with results.logs[0].open("a") as log:
        log.write(line + "\n")
    with pytest.raises(UserError, match="line 3 is not a training step"):
        summarize(results)


def test_another_table_is_no_summary(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="no column 'run'"):
        Summary.read(tmp_path / "other.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(UserError, match="empty"):
        Summary.read(tmp_path / "empty.csv")


def test_metrics_without_intervals_are_enough(results):
    add_metrics(results, "run-a", "torch-fp32", 80.0, 88.0)
    write(results.metrics[0], json.loads('{"exact_match": 80, "f1": 88}'))
    row = summarize(results).iloc[0]
    assert row["f1"] == 88
    assert pd.isna(row["f1_low"])


def test_two_threads_and_all_of_two_are_repeats_of_one_measurement(results):
    """`threads: [2, all]` on two cores."""
    for requested, speed in (("2", 10.0), ("all", 14.0)):
        data = cell("torch", "fp32", "padded", 8, speed) | {"threads_requested": requested}
        add_cell(results, "run-a", data)
    summary = summarize(results)
    assert summary["threads"].tolist() == [2, 2]
    assert summary["threads_requested"].tolist() == ["2", "all"]
    typical = Summary(summary).medians()
    assert typical[["threads", "repeats", "features_per_second"]].to_numpy().tolist() == [
        [2, 2, 12.0]
    ]


def test_what_other_programs_did_meanwhile_is_kept(results):
    quiet = {"seconds": 3.0, "workflow_cpus": 2.0, "other_cpus": 0.02, "stolen_cpus": 0.0}
    hidden = {"unavailable": "a sandbox hides the machine's clocks"}
    for repeat, seen in enumerate((quiet, hidden), start=1):
        data = cell("torch", "fp32", "padded", 8, 10.0, repeat=repeat)
        add_cell(results, "run-a", data | {"activity": seen})
    others = summarize(results)["other_cpus"]
    assert others[0] == 0.02
    assert others.isna().tolist() == [False, True]


def test_a_pass_over_a_whole_set_has_a_rate_and_no_latency(results):
    add_cell(results, "run-a", whole_set_cell("torch", "fp32", "offline", 50.0))
    assert results.cells[0].name == "batchauto-threads2-repeat1.json"
    row = summarize(results).iloc[0]
    assert (row["scenario"], row["mode"], row["features_per_second"]) == ("offline", "offline", 50)
    assert pd.isna(row["batch_size"])
    assert pd.isna(row["latency_p50_ms"])
    assert (row["iterations"], row["features"]) == (3, 3000)


def test_from_texts_to_answers_the_stages_are_told_apart(results):
    add_cell(results, "run-a", whole_set_cell("torch", "fp32", "end_to_end", 50.0))
    row = summarize(results).iloc[0]
    assert row["mode"] == "end_to_end"
    assert row["questions_per_second"] == 49.0
    assert (row["tokenise_s"], row["decode_s"], row["model_s"]) == (0.15, 0.2, 19.8)
    assert row["overhead_share"] == pytest.approx(0.0101, abs=1e-4)


def test_a_cell_that_was_not_run_says_why_and_has_no_figures(results):
    add_cell(results, "run-a", refused_cell("openvino", "bf16", "padded", "batches", 8))
    add_cell(results, "run-a", refused_cell("openvino", "bf16", "offline", "offline", None))
    summary = summarize(results)
    assert set(summary["refused"]) == {"this processor emulates bf16"}
    assert summary["features_per_second"].isna().all()
    assert Summary(summary).refused["scenario"].tolist() == ["offline", "padded"]
    assert Summary(summary).cells.empty


def test_figures_of_batches_see_batches_alone_unless_they_ask(results):
    add_cell(results, "run-a", cell("torch", "fp32", "padded", 1, 10.0))
    add_cell(results, "run-a", whole_set_cell("torch", "fp32", "offline", 50.0))
    add_cell(results, "run-a", refused_cell("torch", "bf16", "padded", "batches", 1))
    summary = summarize(results)
    assert Summary(summary).medians()["scenario"].tolist() == ["padded"]
    assert Summary(summary).medians(("offline",))["features_per_second"].tolist() == [50.0]


def test_a_cell_of_before_there_were_modes_is_one_of_batches(results):
    data = cell("torch", "fp32", "padded", 1, 10.0)
    del data["mode"]
    add_cell(results, "run-a", data)
    assert summarize(results)["mode"].tolist() == ["batches"]


def test_an_emptied_log_does_not_pass_for_a_run_of_no_steps(results):
    add_log(results, "trained", 2)
    add_log(results, "untrained", 0)
    config = {"runs": {"trained": {"epochs": 2}, "untrained": {"epochs": 0}}}
    tables.summarize([], [], results.logs, config)
    results.logs[0].write_text("")
    with pytest.raises(UserError, match=r"training_log\.jsonl: empty, although the run trains 2"):
        tables.summarize([], [], results.logs, config)
