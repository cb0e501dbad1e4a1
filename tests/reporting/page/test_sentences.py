"""The report's sentences: words and numbers that agree, and nothing from outside left unescaped."""

import pytest

from bertsquad.reporting.page import sections, sentences
from bertsquad.reporting.page.findings import findings
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.summary import Summary
from fake_results import (
    Results,
    add_cell,
    add_comparison,
    add_log,
    add_metrics,
    cell,
    engines,
    whole_set_cell,
)


def found(results):
    table = tables.summarize(
        results.metrics, results.cells, results.logs, comparisons=results.comparisons
    )
    return findings(Summary(table))


@pytest.mark.parametrize(
    ("names", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_phrase_names_all(names, text):
    assert sentences.phrase(names) == text


def test_the_opening_escapes_what_the_machine_and_the_config_call_themselves(tmp_path):
    config = {"checkpoint": "<b>mine</b>"}
    assert sentences.lede(found(Results(tmp_path)), "A & B", config) == (
        "On A &amp; B,\nthe checkpoint &lt;b&gt;mine&lt;/b&gt; was used without fine-tuning, on "
        "the dataset the questions."
    )


def test_one_is_no_plural(tmp_path):
    results = Results(tmp_path)
    add_log(results, "run", 3)
    add_metrics(results, "run", "torch-fp32", 50.0, 60.0)
    assert sentences.footer(found(results)) == (
        "Made by bertsquad from 0 benchmark cells, 1 scored model and 1 training log."
    )


def test_tiles_are_those_that_were_measured(tmp_path):
    results = Results(tmp_path)
    assert sentences.tiles(found(results)) == []
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0))
    add_cell(results, "run", whole_set_cell("torch", "fp32", "offline", 50.0))
    where = "torch fp32, padded, batch 8, 2 threads"
    assert sentences.tiles(found(results)) == [
        sentences.Tile(
            "Best throughput", "50.0", "/s", "features per second; torch fp32, offline, 2 threads"
        ),
        sentences.Tile("Best latency", "800", "ms", f"median of one batch, p99 960 ms; {where}"),
    ]


def test_of_few_batches_the_slowest_stands_where_p99_would(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0, batches=30))
    (_, tile) = sentences.tiles(found(results))
    assert tile.note.startswith("median of one batch, slowest of 30 1,040 ms; torch fp32")


def test_a_result_without_anything_to_add_has_no_remarks(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "run", "torch-fp32", 50.0, 60.0)
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0))
    assert sentences.remarks(found(results), other_cpu="") == []


def test_every_engine_that_counts_for_nothing_has_its_remark(tmp_path):
    said = sentences.remarks(found(engines(tmp_path, bf16=False)), other_cpu="")
    openings = [str(remark).partition("</strong>")[0] for remark in said if "<strong>" in remark]
    assert openings == [
        "<strong>onnxruntime int8 failed:",
        "<strong>torch bf16 is emulated here:",
        "<strong>openvino bf16 was not timed:",
    ]


def test_a_gate_that_cannot_tell_is_said_and_its_times_count(tmp_path):
    results = engines(tmp_path)
    results.comparisons.pop()  # of onnxruntime-int8, which failed
    add_comparison(results, "guide", "onnxruntime-int8", 0.985, gate="cannot tell")
    seen = found(results)
    remarks = [str(remark) for remark in sentences.remarks(seen, "")]
    assert (
        "<strong>Cannot tell whether onnxruntime int8 keeps 99\u00a0% of FP32’s F1:</strong> "
        "98.50\u00a0% in run guide, and the interval of the difference holds the limit. It counts; "
        "more questions would tell."
    ) in remarks
    assert (seen.failed, seen.left_out) == ([], [])
    verdicts = [row[2].text for row in sections.accuracy_table(seen).rows]
    assert "cannot tell whether below 99\u00a0%: the interval holds it" in verdicts
