"""compare_answers.py writes comparison.json, and names what does not fit."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bertsquad.answers import logits

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def folder(tmp_path):
    questions = [
        {"id": "q0", "question": "Where?", "answers": [{"text": "Zürich"}]},
        {"id": "q1", "question": "Who?", "answers": [{"text": "Ada"}]},
    ]
    write(tmp_path / "dev.json", {"version": "1.1", "data": [{"paragraphs": [{"qas": questions}]}]})
    write(tmp_path / "fp32.json", {"q0": "Zürich", "q1": "Ada"})
    write(tmp_path / "int8.json", {"q0": "Zürich", "q1": "Ada Byron"})
    write_logits(tmp_path, "fp32", [0.0, 1.0, 0.5])
    write_logits(tmp_path, "int8", [0.0, 1.0, 1.5])
    return tmp_path


def write(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


def write_logits(folder, precision, start, sha256="a" * 64):
    start = np.array(start, np.float32)
    starts = np.array([0, len(start)])
    made = logits.Logits(start, start * 0, starts, "openvino", precision, sha256)
    logits.write(folder / f"{precision}.safetensors", made)


def compare(folder, *options):
    return subprocess.run(
        [
            *(sys.executable, "scripts/compare_answers.py", "--dataset", folder / "dev.json"),
            *(
                "--reference-predictions",
                folder / "fp32.json",
                "--predictions",
                folder / "int8.json",
            ),
            *("--reference-logits", folder / "fp32.safetensors"),
            *("--logits", folder / "int8.safetensors"),
            *("--output", folder / "comparison.json", *options),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_two_questions_cannot_tell_whether_a_precision_loses_too_much(folder):
    done = compare(folder, "--bootstrap-samples", "100")
    assert done.returncode == 0, done.stderr
    found = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    assert (found["engine"], found["precision"]) == ("openvino", "int8")
    assert found["reference"] == "openvino-fp32"
    assert found["f1_share"] == pytest.approx(5 / 6)
    assert (found["gate"], found["passed"]) == ("cannot tell", True)
    assert found["minimum_f1_share"] == 0.99
    assert (found["changed_answers"], found["changed_spans"]) == (1, 1)
    assert found["max_logit_difference"] == 1.0
    assert "cannot tell, F1 83.33 beside 100.00 of openvino-fp32; 1 of 2 answers" in done.stderr


def test_the_limit_can_be_set_and_the_same_input_gives_the_same_bytes(folder):
    compare(folder, "--minimum-f1-share", "0.8")
    first = (folder / "comparison.json").read_bytes()
    assert json.loads(first)["passed"] is True
    compare(folder, "--minimum-f1-share", "0.8")
    assert (folder / "comparison.json").read_bytes() == first


def test_logits_of_other_features_are_refused(folder):
    write_logits(folder, "int8", [0.0, 1.0, 1.5], sha256="b" * 64)
    done = compare(folder)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "int8.safetensors: logits of other features than" in done.stderr
    assert not (folder / "comparison.json").exists()


def test_a_question_without_answers_among_others_is_named(folder):
    answered = {"id": "q1", "answers": [{"text": "x"}]}
    write(folder / "dev.json", {"data": [{"paragraphs": [{"qas": [{"id": "q0"}, answered]}]}]})
    done = compare(folder)
    assert done.returncode == 2
    assert "dev.json: question q0: no gold answers" in done.stderr


def test_of_questions_without_any_answers_only_changes_are_counted(folder):
    write(folder / "dev.json", {"data": [{"paragraphs": [{"qas": [{"id": "q0"}, {"id": "q1"}]}]}]})
    done = compare(folder)
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert "not scored: no question of the dataset has an answer; " in line
    found = json.loads((folder / "comparison.json").read_text())
    assert (found["questions"], found["f1"], found["f1_difference"]) == (2, None, None)
    assert (found["gate"], found["passed"], found["examples"]) == ("cannot tell", True, [])
    assert (found["changed_answers"], found["changed_answers_normalized"]) == (1, 1)


def test_answers_of_squad_2_0_are_compared_by_its_scores(folder):
    questions = [
        {"id": "q0", "question": "Where?", "answers": [{"text": "Zürich"}]},
        {"id": "q1", "question": "Who?", "answers": [], "is_impossible": True},
    ]
    write(folder / "dev.json", {"version": "v2.0", "data": [{"paragraphs": [{"qas": questions}]}]})
    write(folder / "int8.json", {"q0": "Zürich", "q1": ""})
    assert compare(folder).returncode == 0
    found = json.loads((folder / "comparison.json").read_text())
    assert (found["reference_f1"], found["f1"]) == (50.0, 100.0)
    assert (found["examples"][0]["gold_answers"], found["examples"][0]["f1"]) == ([], 1.0)
