"""The report's tables as text."""

import pytest

from bertsquad.reporting.page import sections
from bertsquad.reporting.summary.columns import NAMES
from bertsquad.reporting.summary.comparisons import read_change
from fake_results import CHECKSUMS, Results, add_comparison, config


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0e-5, "3.0e-5"),
        (1.5e-5, "1.5e-5"),
        (0.1, "0.1"),
        (2, "2"),
        (True, "true"),
        (None, "as in the checkpoint"),
        ([1, "all"], "1, all"),
        (0.0, "0.0"),
    ],
)
def test_settings_are_written_as_in_the_configuration(value, text):
    assert sections.plain(value) == text


def test_settings_that_differ_come_first():
    runs, settings = sections.run_settings(config())
    assert runs == ["demo-bf16", "demo-fp32", "untrained"]
    assert [(setting.name, setting.values) for setting in settings if setting.differs] == [
        ("precision", ["bf16", "fp32", "fp32"]),
        ("epochs", ["2", "2", "0"]),
    ]
    assert settings[0].differs
    assert not settings[-1].differs


def test_what_all_rows_share_goes_into_the_caption():
    columns = {"a": ("A", "", None), "b": ("B", "ms", sections.short), "c": ("C", "", None)}
    rows = [{"a": "x", "b": 1.0, "c": ""}, {"a": "x", "b": None, "c": ""}]
    table = sections.table(rows, columns, ["a"])
    assert table.common == [("A", "x")]
    assert table.heads == [("B", "ms")]
    assert [[cell.text for cell in row] for row in table.rows] == [["1.00"], ["–"]]


def test_what_was_asked_is_shown_only_where_all_is_the_same_as_a_number():
    row = dict.fromkeys(NAMES) | {"threads": 2, "threads_requested": "all"}
    other = row | {"threads": 1, "threads_requested": "1"}
    twin = row | {"threads_requested": "2"}
    assert ("asked", "threads") not in sections.cell_table([row, other]).heads
    assert ("asked", "threads") in sections.cell_table([row, other, twin]).heads


def test_one_row_keeps_all_its_columns():
    columns = {"a": ("A", "", None)}
    assert sections.table([{"a": "x"}], columns, ["a"]).common == []


def test_only_web_addresses_become_links():
    urls = {source.name: source.url for source in sections.sources(CHECKSUMS)}
    assert urls == {"checkpoint.zip": "", "dev-v1.1.json": "https://example.org/dev-v1.1.json"}


@pytest.mark.parametrize(
    ("value", "text"), [(0.123, "+0.12"), (-2.5, "−2.50"), (-0.001, "0.00"), (0, "0.00")]
)
def test_differences_have_a_sign_unless_they_are_nothing(value, text):
    assert sections.signed(value) == text


def test_what_changes_is_one_row_per_model_and_what_fails_is_marked(tmp_path):
    results = Results(tmp_path)
    add_comparison(results, "a", "openvino-fp32", 1.0)
    add_comparison(results, "a", "openvino-bf16", 0.989, gate="cannot tell")
    add_comparison(results, "a", "openvino-int8", 0.95, changed=40, logits=1.5)
    table = sections.change_table([read_change(path) for path in results.comparisons])
    assert table.common == [("run", "a"), ("engine", "openvino")]
    assert table.marks == ["", "", "failed"]
    assert table.heads[2:4] == [
        ("interval", "other questions on these articles"),
        ("interval", "other articles"),
    ]
    assert [[cell.text for cell in row] for row in table.rows] == [
        [
            *("fp32", "0.00", "−0.30 to +0.30", "−0.70 to +0.70", "passed"),
            *("0", "0", "0", "0", "0.00", "1.0e-5"),
        ],
        [
            *("bf16", "−0.99", "−1.29 to −0.69", "−1.69 to −0.29", "cannot tell"),
            *("0", "0", "0", "0", "0.00", "1.0e-5"),
        ],
        [
            *("int8", "−4.50", "−4.80 to −4.20", "−5.20 to −3.80", "failed"),
            *("40", "32", "13", "27", "8.00", "1.50"),
        ],
    ]


@pytest.mark.parametrize(
    ("changes", "note", "mark"),
    [
        ({}, "", ""),
        ({"native": True, "passed": True}, "", ""),
        ({"native": False}, "emulated here", "emulated"),
        ({"native": False, "passed": False}, "failed: F1 too low", "failed"),
        ({"refused": "no such thing"}, "not run: no such thing", "refused"),
    ],
)
def test_a_cells_note_says_why_it_is_no_result(changes, note, mark):
    row = dict.fromkeys(NAMES) | changes
    assert sections.note(row) == note
    assert sections.cell_table([row]).marks == [mark]
