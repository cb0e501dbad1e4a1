"""compare.py says how far two files of predictions are apart, how sure that is, what changed."""

import json
import subprocess
import sys

import pytest

from project import ROOT

GOLDS = {f"q{number}": "New York" for number in range(8)}


@pytest.fixture
def folder(tmp_path):
    questions = [
        {"id": id_, "question": f"Where is {id_}?", "answers": [{"text": text}]}
        for id_, text in GOLDS.items()
    ]
    write(tmp_path / "dev.json", {"version": "1.1", "data": [{"paragraphs": [{"qas": questions}]}]})
    write(tmp_path / "a.json", GOLDS | {"q0": "Paris", "q1": "Rome"})
    write(tmp_path / "b.json", GOLDS | {"q1": "Oslo"})
    return tmp_path


def write(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


def compare(folder, *options):
    return subprocess.run(
        [
            *(sys.executable, "scripts/compare.py", folder / "a.json", folder / "b.json"),
            *("--dataset", folder / "dev.json", *options),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_printed(folder):
    run = compare(folder)
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    # One changed score: the sign test cannot tell, so the interval holds 0.
    assert lines[1].startswith("exact match: A 75.00, B 87.50, difference +12.50 (+0.00 to +")
    assert lines[1].endswith("sign test p = 1")
    assert lines[3] == "changed answers: 2, of which B is better in 1, worse in 0, equal in 1"
    assert lines[4] == "F1 of each, in percent:"
    assert lines[6:10] == [
        "q0: Where is q0?",
        "  A 0.00: Paris",
        "  B 100.00: New York",
        "  gold: New York",
    ]
    assert lines[11] == "q1: Where is q1?"


def test_the_exact_sign_test_of_six_changes_one_way(folder):
    write(folder / "a.json", dict.fromkeys(GOLDS, "Paris"))
    write(folder / "b.json", GOLDS | dict.fromkeys(["q6", "q7"], "Paris"))
    run = compare(folder, "--output", folder / "c.json")
    assert run.returncode == 0, run.stderr
    result = json.loads((folder / "c.json").read_text())
    assert result["f1_sign_test"] == 2 / 2**6
    assert len(result["examples"]) == 6
    low, high = result["f1_difference_interval"]
    assert 0 < low < 75 < high <= 100


def test_alike_files_differ_in_nothing(folder):
    (folder / "b.json").write_bytes((folder / "a.json").read_bytes())
    lines = compare(folder).stdout.splitlines()
    assert "difference +0.00 (+0.00 to +0.00), sign test p = 1" in lines[2]
    assert lines[-1].startswith("changed answers: 0")


def test_number_of_changes_shown(folder):
    assert len(compare(folder, "--changes", "1").stdout.splitlines()) == 10


def test_a_question_without_a_prediction_scores_zero_and_is_named(folder):
    write(folder / "b.json", {id_: text for id_, text in GOLDS.items() if id_ != "q3"})
    run = compare(folder)
    assert run.returncode == 0
    assert "b.json: no prediction for 1 of 8 questions, the first is q3" in run.stderr


@pytest.mark.parametrize(
    ("predictions", "said"),
    [
        ([1], "expected an object of question ids"),
        ({"q0": 3}, "question q0: its prediction is 3; expected text"),
        ({"other": "x"}, "no prediction for any of the 8 questions"),
    ],
)
def test_what_is_no_file_of_predictions_is_refused(folder, predictions, said):
    write(folder / "b.json", predictions)
    run = compare(folder, "--output", folder / "c.json")
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith("compare.py: error: ")
    assert "b.json" in line
    assert said in line
    assert not (folder / "c.json").exists()


def test_no_control_character_of_a_file_reaches_the_terminal(folder):
    odd = "q\x1b[2J\x07"
    questions = [{"id": odd, "question": f"Where\x1b[31m is {odd}?", "answers": [{"text": "Oslo"}]}]
    write(folder / "dev.json", {"data": [{"paragraphs": [{"qas": questions}]}]})
    write(folder / "a.json", {odd: "Paris\x1b]0;x\x07"})
    write(folder / "b.json", {odd: "Oslo", "other\x1b": "x"})
    run = compare(folder)
    assert run.returncode == 0
    assert r"q\x1b[2J\x07" in run.stdout
    shown = (run.stdout + run.stderr).replace("\n", "")
    assert [character for character in shown if not character.isprintable()] == []
