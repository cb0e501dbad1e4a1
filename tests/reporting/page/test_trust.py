"""Whether the opening may be believed: one judgement a matter, with its reason."""

from dataclasses import replace

import pytest

from bertsquad.experiment.origin import Origin
from bertsquad.reporting.page import sentences, trust
from bertsquad.reporting.page.findings import findings
from bertsquad.reporting.summary import tables
from bertsquad.reporting.summary.summary import Summary
from fake_results import Results, add_cell, add_comparison, add_log, add_metrics, cell, engines

CLEAN = Origin("1.0", "0123456789abcdef" + 24 * "0", (), "")


def judged(results, *, demo=False, warnings=(), origin=CLEAN):
    """Level and reason of each matter."""
    table = tables.summarize(
        results.metrics, results.cells, results.logs, comparisons=results.comparisons
    )
    summary = Summary(table)
    found = trust.judgements(findings(summary), summary, {"demo": demo}, list(warnings), origin)
    return {each.matter: (each.level, str(each.reason)) for each in found}


def test_nothing_is_said_of_what_was_not_measured(tmp_path):
    assert judged(Results(tmp_path)) == {}


def test_scores_that_the_official_script_confirms_are_believed(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "run", "torch-fp32", 50.0, 60.0)
    assert judged(results)["Scores"] == (
        "yes",
        "F1 of 60.00&nbsp;% would be 57.0 to 63.0 on other questions. "
        "The official script gives the same scores.",
    )


def test_scores_of_a_demo_are_not(tmp_path):
    results = Results(tmp_path)
    add_metrics(results, "run", "torch-fp32", 50.0, 60.0)
    assert judged(results, demo=True)["Scores"][0] == "no"


@pytest.mark.parametrize(
    ("share", "gate", "level", "reason"),
    [
        (1.0, "passed", "yes", "All 1 comparisons keep at least 99\u00a0% of FP32’s F1."),
        (
            0.95,
            "failed",
            "care",
            "Below 99\u00a0% of FP32’s F1, so it counts for nothing: torch",
        ),
        (0.985, "cannot tell", "care", "The questions are too few to tell whether torch int8 "),
    ],
)
def test_precisions_are_judged_by_their_gate(tmp_path, share, gate, level, reason):
    results = Results(tmp_path)
    add_metrics(results, "run", "torch-fp32", 80.0, 90.0)
    add_metrics(results, "run", "torch-int8", 80.0, 90.0 * share)
    add_comparison(results, "run", "torch-int8", share, gate=gate)
    found = judged(results)["Precisions"]
    assert found[0] == level
    assert found[1].startswith(reason)


def test_one_seed_is_not_enough_and_several_are(tmp_path):
    results = Results(tmp_path)
    add_log(results, "a-seed0", 5)
    add_metrics(results, "a-seed0", "torch-fp32", 80.0, 90.0)
    assert judged(results)["Fine-tuning"][0] == "care"
    add_log(results, "a-seed1", 5)
    add_metrics(results, "a-seed1", "torch-fp32", 80.0, 90.0)
    assert judged(results)["Fine-tuning"] == (
        "yes",
        "2 runs differ in their seed alone; their spread is what chance does.",
    )


def test_disturbed_cells_are_no_headline_and_the_page_says_what_to_do(tmp_path):
    results = Results(tmp_path)
    add_cell(results, "run", cell("torch", "fp32", "padded", 8, 400.0, waited=0.3))
    assert judged(results)["Times"][0] == "no"
    add_cell(results, "run", cell("torch", "fp32", "padded", 1, 10.0))
    level, reason = judged(results)["Times"]
    assert level == "care"
    assert "1 of 2 cells disturbed (threads waited 1" in reason
    assert "close what else runs" in reason
    facts = findings(Summary(tables.summarize([], results.cells, [])))
    tiles = [tile.value for tile in sentences.tiles(facts) if tile.label == "Best latency"]
    assert tiles == ["100"]


def test_cells_that_do_not_say_what_disturbed_them_are_read_with_care(tmp_path):
    results = Results(tmp_path)
    data = cell("torch", "fp32", "padded", 8, 400.0)
    del data["validity"]
    add_cell(results, "run", data)
    reason = "1 of 1 cells do not say what disturbed them."
    assert judged(results)["Times"] == ("care", reason)


def test_quiet_cells_measured_several_times_on_a_good_machine_are_believed(tmp_path):
    results = Results(tmp_path)
    for repeat in (1, 2, 3):
        add_cell(results, "run", cell("torch", "fp32", "padded", 8, 10.0, repeat=repeat))
    assert {matter: level for matter, (level, _) in judged(results).items()} == {
        "Times": "yes",
        "Repeats": "yes",
        "Machine": "yes",
        "Code": "yes",
    }


def test_warnings_of_the_machine_are_counted(tmp_path):
    found = judged(engines(tmp_path), warnings=["hot", "busy"])["Machine"]
    link = '<a href="#machine">2 warnings about this machine</a>: read the times with care.'
    assert found == ("care", link)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (CLEAN, ("yes", '<a href="#again">Commit 0123456789ab</a>, nothing changed.')),
        (
            replace(CLEAN, changed=("scripts/<b>.py",)),
            (
                "care",
                '<a href="#again">No commit holds it</a>: of commit 0123456789ab 1 file '
                "is changed.",
            ),
        ),
        (
            Origin("1.0", "", (), "git is not installed here"),
            ("care", "Which commit made this is not known: git is not installed here."),
        ),
    ],
)
def test_code_that_a_commit_holds_is_believed(tmp_path, origin, expected):
    results = Results(tmp_path)
    add_metrics(results, "run", "torch-fp32", 50.0, 60.0)
    assert judged(results, origin=origin)["Code"] == expected
