"""What was scored on what, and whether scoring again gives the same."""

import json
from pathlib import Path

import pytest

from bertsquad.answers import metrics_v2
from bertsquad.certificate.crate.scoring import Scoring, check_scores, scorings
from bertsquad.console.errors import UserError
from fake_run import DATASET, DEV, MODEL, PREDICTIONS, make_run

SHA = "d" * 64


def step(options: dict[str, str], inputs: list[str], output: str = f"{MODEL}/metrics.json") -> dict:
    found = {"rule": "evaluate", "params": options, "outputs": {output: SHA}}
    return found | {"inputs": dict.fromkeys(inputs, SHA)}


def told(steps: list[dict], scores: dict | None = None) -> dict:
    return {"steps": steps, "scores": scores or {MODEL: {}}}


def test_an_evaluation_is_known_by_its_step():
    inputs = [DEV, f"{MODEL}/predictions.json", "resources/downloads/evaluate-v1.1.py"]
    options = {"options": "--bootstrap-samples 1000 --seed 0"}
    assert scorings(told([step(options, inputs)])) == [
        Scoring(MODEL, f"{MODEL}/predictions.json", DEV, SHA, None, False, None)
    ]


def test_options_of_squad_2_count():
    inputs = [DEV, f"{MODEL}/predictions.json", f"{MODEL}/null_odds.json"]
    options = {
        "negative": "--version-2-with-negative",
        "null_odds": "--na-prob-file small/null_odds.json --na-prob-thresh -1.5",
    }
    (found,) = scorings(told([step(options, inputs)]))
    assert (found.version_2, found.threshold) == (True, -1.5)
    assert found.null_odds == f"{MODEL}/null_odds.json"


def test_scores_of_a_kind_of_machine_are_scored_again_too():
    folder = f"{MODEL}/machines/half"
    each = step({}, [DEV, f"{folder}/predictions.json"], f"{folder}/metrics.json")
    (found,) = scorings(told([each | {"rule": "evaluate_on_machine"}], {folder: {}}))
    assert (found.of, found.predictions) == (folder, f"{folder}/predictions.json")


def test_what_is_not_understood_is_left_out():
    assert scorings(told([step({}, [DEV])])) == []
    assert scorings(told([step({}, [DEV, "x/predictions.json"], "other/metrics.json")])) == []


def scored(known: dict, scoring: Scoring, files: dict[str, object]) -> None:
    contents = {name: json.dumps(value).encode() for name, value in files.items()}
    check_scores({"scores": {MODEL: known}}, scoring, contents.__getitem__, contents[DEV])


def test_equal_scores_pass_and_others_are_named(tmp_path: Path):
    run = make_run(tmp_path)
    known = json.loads((run.results / MODEL / "metrics.json").read_text())
    scoring = Scoring(MODEL, "p", DEV, SHA, None, False, None)
    scored(known, scoring, {"p": PREDICTIONS, DEV: DATASET})
    with pytest.raises(
        UserError, match=r"small/torch-fp32: exact_match is 66\.6.* by p, and 33\.3"
    ):
        scored(known, scoring, {"p": PREDICTIONS | {"q2": "1233 km"}, DEV: DATASET})
    with pytest.raises(UserError, match="question q1: its prediction is 7"):
        scored(known, scoring, {"p": {"q1": 7}, DEV: DATASET})


def test_squad_2_is_scored_with_its_threshold():
    odds = {"q1": -2.0, "q2": 3.0, "q3": -1.0}
    totals = metrics_v2.score(DATASET, PREDICTIONS, odds, 2.5).totals()
    scoring = Scoring(MODEL, "p", DEV, SHA, "n", True, 2.5)
    scored(totals | {"questions": 3}, scoring, {"p": PREDICTIONS, "n": odds, DEV: DATASET})
    without = metrics_v2.score(DATASET, PREDICTIONS, odds, 3.5).totals()
    assert without != totals
    with pytest.raises(UserError, match="one of the two was changed"):
        scored(without | {"questions": 3}, scoring, {"p": PREDICTIONS, "n": odds, DEV: DATASET})
