"""Scores by a kind of machine in the table, beside those that are computed once."""

import pandas as pd
import pytest

from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.columns import NAMES
from fake_results import Results, add_cell, add_metrics, cell


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path)


def summarize(results):
    return tables.summarize(results.metrics, results.cells, [])


def test_scores_of_a_kind_of_machine_stand_beside_its_cells_in_the_last_two_columns(results):
    for machine, f1 in (("", 88.0), ("half", 87.5)):
        add_metrics(results, "run-a", "torch-bf16", f1 - 8, f1, machine=machine)
    for machine, rate in (("half", 10.0), ("whole", 20.0)):
        add_cell(results, "run-a", cell("torch", "bf16", "padded", 8, rate), machine)
    found = summarize(results)
    assert NAMES[-2:] == ("machine_exact_match", "machine_f1")
    shown = found[["machine", "exact_match", "f1", *NAMES[-2:]]].astype(object)
    assert shown.where(shown.notna(), None).to_numpy().tolist() == [
        ["half", 80.0, 88.0, 79.5, 87.5],
        ["whole", 80.0, 88.0, None, None],
    ]


def test_scores_of_a_kind_that_timed_nothing_have_a_row_of_their_own(results):
    for machine, f1 in (("", 88.0), ("half", 87.5)):
        add_metrics(results, "run-a", "torch-bf16", f1 - 8, f1, machine=machine)
    found = summarize(results)
    assert found["machine"].tolist() == ["", "half"]
    assert found["f1"].tolist() == [88.0, 88.0]
    assert found["machine_f1"].tolist()[1] == 87.5
    assert pd.isna(found["machine_f1"][0])
    assert found["scenario"].tolist() == ["", ""]
