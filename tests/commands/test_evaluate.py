"""evaluate.py writes metrics.json, checks the ids and believes the official script."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

# Stands for evaluate-v1.1.py, which is not part of this project.
SCRIPT = """
import json, sys
dataset, predictions = (json.load(open(path)) for path in sys.argv[1:])
print(json.dumps({figures}))
"""


@pytest.fixture
def folder(tmp_path):
    write_dataset(tmp_path / "dev.json", {"q0": "Zürich", "q1": "New York", "q2": "x"})
    write(tmp_path / "predictions.json", {"q0": "Zürich", "q1": "New York City", "q2": "y"})
    return tmp_path


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def write_dataset(path, golds, version="1.1"):
    questions = [{"id": id_, "answers": [{"text": text}]} for id_, text in golds.items()]
    write(path, {"version": version, "data": [{"paragraphs": [{"qas": questions}]}]})


def evaluate(folder, *options):
    return subprocess.run(
        [
            *(sys.executable, "scripts/evaluate.py"),
            *("--dataset", folder / "dev.json", "--predictions", folder / "predictions.json"),
            *("--output", folder / "metrics.json", *options),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def expect_error(run, *parts):
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith("evaluate.py: error: ")
    for part in parts:
        assert part in line


def test_metrics(folder):
    run = evaluate(folder, "--bootstrap-samples", "200", "--seed", "3")
    assert run.returncode == 0, run.stderr
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    low, high = metrics.pop("exact_match_interval")
    assert 0 <= low <= 100 / 3 <= high <= 100
    low, high = metrics.pop("f1_interval")
    assert 0 <= low <= 60 <= high <= 100
    assert metrics == {
        "bootstrap_samples": 200,
        "confidence": 0.95,
        "exact_match_interval_articles": None,
        "f1_interval_articles": None,
        "exact_match": 100.0 / 3,
        "f1": 60.0,
        "official_script": "not run",
        "questions": 3,
        "unanswered": 0,
    }


def test_the_same_seed_writes_the_same_bytes(folder):
    evaluate(folder)
    first = (folder / "metrics.json").read_bytes()
    evaluate(folder)
    assert (folder / "metrics.json").read_bytes() == first


def test_official_script_that_agrees(folder):
    script = folder / "official.py"
    script.write_text(SCRIPT.replace("{figures}", '{"exact_match": 100 / 3, "f1": 60.0}'))
    run = evaluate(folder, "--official-script", script)
    assert run.returncode == 0, run.stderr
    assert json.loads((folder / "metrics.json").read_text())["official_script"] == "agrees"


def test_official_script_that_differs(folder):
    script = folder / "official.py"
    script.write_text(SCRIPT.replace("{figures}", '{"exact_match": 100 / 3, "f1": 60.000001}'))
    expect_error(evaluate(folder, "--official-script", script), "f1 is 60.0", "says 60.000001")
    assert not (folder / "metrics.json").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise ValueError('too old')", "ValueError: too old"),
        ("print('<html>')", "<html>"),
        ("", "nothing"),
    ],
)
def test_official_script_that_fails(folder, text, said):
    script = folder / "official.py"
    script.write_text(text)
    expect_error(evaluate(folder, "--official-script", script), "official.py", said)


def test_predictions_for_other_questions_are_ignored_with_a_warning(folder):
    evaluate(folder)
    before = (folder / "metrics.json").read_bytes()
    predictions = {"q7": None, "q0": "Zürich", "q1": "New York City", "q2": "y", "q8": "x"}
    write(folder / "predictions.json", predictions)
    run = evaluate(folder)
    assert run.returncode == 0
    warning = run.stderr.splitlines()[0]
    assert warning.startswith("warning: ")
    assert "2 of 5 predictions are for questions that are not in the dataset" in warning
    assert "the first for q7" in warning
    assert (folder / "metrics.json").read_bytes() == before


def test_warnings_show_control_characters_as_escapes_in_short_lines(folder):
    write_dataset(folder / "dev.json", {"q\x1b[31m": "x"}, version="\x07")
    write(folder / "predictions.json", {"other\x1b[31m" + "y" * 5000: "x"})
    run = evaluate(folder, "--missing", "score-zero")
    assert run.returncode == 0
    version, unknown, unanswered = run.stderr.splitlines()[:3]
    assert version == r"Evaluation expects v-1.1, but got dataset with v-\x07"
    assert "\x1b" not in run.stderr
    assert unknown.endswith("they are ignored")
    assert len(unknown) == 300
    assert unanswered == r"Unanswered question q\x1b[31m will receive score 0."


def test_ids_that_are_whole_numbers_are_matched_by_their_digits(folder):
    write_dataset(folder / "dev.json", {40213: "Zürich", "q1": "x"})
    write(folder / "predictions.json", {"40213": "Zürich", "q1": "y"})
    run = evaluate(folder)
    assert run.returncode == 0, run.stderr
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["exact_match"], metrics["unanswered"]) == (50.0, 0)


def test_a_byte_order_mark_does_not_matter(folder):
    evaluate(folder)
    before = (folder / "metrics.json").read_bytes()
    for name in ("dev.json", "predictions.json"):
        (folder / name).write_bytes(b"\xef\xbb\xbf" + (folder / name).read_bytes())
    run = evaluate(folder)
    assert run.returncode == 0, run.stderr
    assert (folder / "metrics.json").read_bytes() == before


def test_question_without_a_prediction(folder):
    write(folder / "predictions.json", {"q1": "New York"})
    expect_error(evaluate(folder), "predictions.json", "no prediction for 2 of 3", "first is q0")
    assert not (folder / "metrics.json").exists()


def test_question_without_a_prediction_scores_zero_on_request(folder):
    write(folder / "predictions.json", {"q1": "New York"})
    run = evaluate(folder, "--missing", "score-zero")
    assert run.returncode == 0
    assert run.stderr.splitlines()[:2] == [
        "Unanswered question q0 will receive score 0.",
        "Unanswered question q2 will receive score 0.",
    ]
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["exact_match"], metrics["unanswered"]) == (100.0 / 3, 2)


def test_dataset_of_another_version_is_noted(folder):
    write_dataset(folder / "dev.json", {"q0": "Zürich", "q1": "New York", "q2": "x"}, "2.0")
    run = evaluate(folder)
    assert run.returncode == 0
    assert run.stderr.splitlines()[0] == "Evaluation expects v-1.1, but got dataset with v-2.0"


@pytest.mark.parametrize(
    ("file", "text", "parts"),
    [
        ("dev.json", '{"version": "1.1", "data": []}', ["dev.json", "no questions"]),
        ("dev.json", '{"version": "1.1"}', ["dev.json", "not SQuAD JSON"]),
        ("predictions.json", '{"q0": 3}', ["predictions.json", "question q0", "is 3"]),
        ("predictions.json", '["q0"]', ["predictions.json", "expected an object"]),
        ("predictions.json", '{"q0": "Z', ["predictions.json", "not valid JSON at line 1"]),
    ],
)
def test_bad_input(folder, file, text, parts):
    (folder / file).write_text(text)
    expect_error(evaluate(folder), *parts)


def test_missing_file(folder):
    (folder / "predictions.json").unlink()
    expect_error(evaluate(folder), "predictions.json: no such file")


def test_no_bootstrap_samples(folder):
    run = evaluate(folder, "--bootstrap-samples", "0")
    assert run.returncode == 2
    assert "--bootstrap-samples must be at least 1" in run.stderr


def test_without_an_output_scores_and_intervals_are_printed(folder):
    run = subprocess.run(
        [
            *(sys.executable, "scripts/evaluate.py", folder / "predictions.json"),
            *("--dataset", folder / "dev.json"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [
        "3 questions, 0 without a prediction",
        # Wilson's interval of 1 in 3.
        "exact match: 33.33 (6.15 to 79.23 on other questions on these articles)",
        run.stdout.splitlines()[2],
        "in parentheses: 95 % confidence intervals",
    ]
    assert run.stdout.splitlines()[2].startswith("F1: 60.00 (")
