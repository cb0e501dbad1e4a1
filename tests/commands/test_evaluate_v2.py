"""evaluate.py on SQuAD 2.0 and on questions without answers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

# Stands for evaluate-v2.0.py, which is not part of this project.
SCRIPT = """
import json, sys
assert sys.argv[3:] == {options}, sys.argv
print(json.dumps({figures}, indent=2))
"""
FIGURES = {
    "exact": 50.0,
    "f1": 70.0,
    "total": 4,
    "HasAns_exact": 50.0,
    "HasAns_f1": 90.0,
    "HasAns_total": 2,
    "NoAns_exact": 50.0,
    "NoAns_f1": 50.0,
    "NoAns_total": 2,
    "best_exact": 50.0,
    "best_exact_thresh": 0.0,
    "best_f1": 70.0,
    "best_f1_thresh": -3.0,
}


def write(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


def write_dataset(path, *questions):
    entries = [{"id": f"q{number}"} | each for number, each in enumerate(questions)]
    write(path, {"version": "v2.0", "data": [{"paragraphs": [{"qas": entries}]}]})


@pytest.fixture
def folder(tmp_path):
    write_dataset(
        tmp_path / "dev.json",
        {"answers": [{"text": "New York"}], "is_impossible": False},
        {"answers": [], "is_impossible": True},
        {"answers": [], "is_impossible": True},
        {"answers": [{"text": "the cat"}], "is_impossible": False},
    )
    write(tmp_path / "predictions.json", {"q0": "New York City", "q1": "", "q2": "x", "q3": "cat"})
    write(tmp_path / "null_odds.json", {"q0": -3.0, "q1": 2.0, "q2": -1.0, "q3": 0.5})
    return tmp_path


def evaluate(folder, *options):
    return subprocess.run(
        [
            *(sys.executable, "scripts/evaluate.py", folder / "predictions.json"),
            *("--dataset", folder / "dev.json", *options),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_metrics_hold_what_the_official_script_prints_and_intervals(folder):
    output = folder / "metrics.json"
    run = evaluate(folder, "--output", output, "--na-prob-file", folder / "null_odds.json")
    assert run.returncode == 0, run.stderr
    found = json.loads(output.read_text())
    assert FIGURES.items() <= found.items()
    assert (found["exact_match"], found["questions"], found["unanswered"]) == (50.0, 4, 0)
    for score in ("exact_match", "f1", "HasAns_exact", "HasAns_f1", "NoAns_exact", "NoAns_f1"):
        low, high = found[f"{score}_interval"]
        assert 0 <= low <= found[score] <= high <= 100
    assert "Evaluation expects" not in run.stderr


def test_the_official_script_is_given_the_same_options(folder):
    odds = str(folder / "null_odds.json")
    script = folder / "official.py"
    options = [f"--na-prob-file={odds}", "--na-prob-thresh=1.5"]
    text = SCRIPT.replace("{figures}", repr(FIGURES)).replace("{options}", repr(options))
    script.write_text(text)
    given = ("--na-prob-file", odds, "--na-prob-thresh", "1.5", "--official-script", script)
    run = evaluate(folder, *given, "--output", folder / "metrics.json")
    assert run.returncode == 0, run.stderr
    assert json.loads((folder / "metrics.json").read_text())["official_script"] == "agrees"
    script.write_text(text.replace("'best_f1_thresh': -3.0", "'best_f1_thresh': -2.0"))
    run = evaluate(folder, *given)
    assert run.returncode == 2
    assert "best_f1_thresh is -3.0, but" in run.stderr


def test_scores_of_both_kinds_and_the_best_threshold_are_printed(folder):
    run = evaluate(folder, "--na-prob-file", folder / "null_odds.json")
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert lines[0] == "4 questions, 0 without a prediction"
    assert lines[3].startswith("2 answerable questions: exact match 50.00, F1 90.00 (")
    assert lines[4].startswith("2 unanswerable questions: exact match 50.00, F1 50.00 (")
    assert lines[5] == (
        "best F1 of thresholds up to the predictions' own: 70.00 at -3.0; "
        "best exact match: 50.00 at 0.0"
    )


def test_a_threshold_without_its_file_and_odds_for_1_1_are_refused(folder):
    run = evaluate(folder, "--na-prob-thresh", "0")
    assert run.returncode == 2
    assert "--na-prob-thresh needs the --na-prob-file" in run.stderr
    questions = [{"id": "q0", "answers": [{"text": "x"}]}]
    write(folder / "dev.json", {"version": "1.1", "data": [{"paragraphs": [{"qas": questions}]}]})
    run = evaluate(folder, "--na-prob-file", folder / "null_odds.json")
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert "--na-prob-file goes with SQuAD 2.0; this dataset is SQuAD 1.1" in line
    forced = ("--version-2-with-negative", "--na-prob-file", folder / "null_odds.json")
    assert evaluate(folder, *forced).returncode == 0


@pytest.mark.parametrize("entry", [{}, {"answers": []}, {"answers": [], "is_impossible": False}])
def test_questions_without_any_answers_are_not_scored_and_that_is_said(folder, entry):
    write_dataset(folder / "dev.json", entry, entry, entry)
    output = folder / "metrics.json"
    run = evaluate(folder, "--output", output)
    assert run.returncode == 0
    assert run.stderr.splitlines() == [
        f"{folder / 'dev.json'}: not scored: not one of 3 questions has an answer"
    ]
    assert json.loads(output.read_text()) == {
        "questions": 3,
        "unanswered": 0,
        "exact_match": None,
        "f1": None,
        "not_scored": "no question of the dataset has an answer",
        "official_script": "not run",
    }
