"""predict.py writes what run_squad.py would, and refuses logits of other features."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bertsquad.answers import logits
from bertsquad.data import features, squad
from bertsquad.data.featurization import featurize
from bertsquad.data.tokenization import Vocabulary
from bertsquad.files import sha256

ROOT = Path(__file__).resolve().parent.parent.parent
QUESTIONS = {"q1": "Who slept?", "q0": "Where?"}  # not in sorted order
CONTEXT = "The café's cat slept (twice) on the mat."


@pytest.fixture
def folder(tmp_path, uncased_vocab):
    (tmp_path / "vocab.txt").write_bytes(uncased_vocab.read_bytes())
    entries = [
        {"id": id_, "question": text, "answers": [{"text": "cat", "answer_start": 11}]}
        for id_, text in QUESTIONS.items()
    ]
    article = {"title": "", "paragraphs": [{"context": CONTEXT, "qas": entries}]}
    (tmp_path / "dev.json").write_text(json.dumps({"version": "1.1", "data": [article]}))
    made = featurize(
        squad.load(tmp_path / "dev.json"),
        Vocabulary(tmp_path / "vocab.txt"),
        max_seq_length=64,
        doc_stride=32,
        max_query_length=16,
        training=False,
    )
    made.metadata["dataset_sha256"] = sha256(tmp_path / "dev.json")
    made.metadata["vocab_sha256"] = sha256(tmp_path / "vocab.txt")
    features.write(tmp_path / "features.safetensors", made)
    logits.write(tmp_path / "logits.safetensors", example_logits(tmp_path, made))
    return tmp_path


def example_logits(folder, made):
    """The first question is answered "café's cat", the second "twice"."""
    starts = np.concatenate([[0], np.cumsum(made.lengths)])
    start, end = np.full((2, starts[-1]), -9, np.float32)
    # the café ' s cat slept ( twice ) on the mat .
    for question, (first, last) in enumerate(((1, 4), (7, 7))):
        passage = starts[question] + 2 + made.question_lengths[question]
        start[passage + first] = 4
        end[passage + last] = 2.5
    checksum = sha256(folder / "features.safetensors")
    return logits.Logits(start, end, starts, "torch", "fp32", checksum)


def predict(folder, *options):
    return subprocess.run(
        [
            *(sys.executable, "scripts/predict.py"),
            *("--dataset", folder / "dev.json", "--vocab", folder / "vocab.txt"),
            *("--features", folder / "features.safetensors"),
            *("--logits", folder / "logits.safetensors"),
            *("--predictions", folder / "predictions.json", "--nbest", folder / "nbest.json"),
            *options,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def expect_error(run, folder, *parts):
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith("predict.py: error: ")
    for part in parts:
        assert part in line
    assert not (folder / "predictions.json").exists()


def test_predictions_and_n_best(folder):
    run = predict(folder)
    assert run.returncode == 0, run.stderr
    assert "2 answers decoded from 2 windows" in run.stderr
    text = (folder / "predictions.json").read_text(encoding="utf-8")
    assert text == '{\n    "q1": "caf\\u00e9\'s cat",\n    "q0": "twice"\n}\n'
    nbest = json.loads((folder / "nbest.json").read_text(encoding="utf-8"))
    assert list(nbest) == ["q1", "q0"]
    assert len(nbest["q0"]) == 20
    assert list(nbest["q0"][0]) == ["text", "probability", "start_logit", "end_logit"]
    assert (nbest["q0"][0]["start_logit"], nbest["q0"][0]["end_logit"]) == (4.0, 2.5)


def test_limits(folder):
    run = predict(folder, "--n-best-size", "3", "--max-answer-length", "1")
    assert run.returncode == 0, run.stderr
    nbest = json.loads((folder / "nbest.json").read_text(encoding="utf-8"))
    assert nbest["q0"][0]["text"] == "twice"
    assert len(nbest["q0"]) <= 3
    assert all(" " not in entry["text"] for entry in nbest["q1"])


def test_limit_out_of_range(folder):
    run = predict(folder, "--n-best-size", "0")
    assert run.returncode == 2
    assert "--n-best-size: 0 is not 1 or more" in run.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features_sha256": "ab" * 32}, "logits for other features (sha256 abababababab"),
        ({"starts": [0, 1]}, "logits for 1 features, but"),
        ({"starts": [0, 1, 2, 3]}, "1 are too many; run compute_logits again"),
        ({"starts": [0, 1, None]}, "1 logits for feature 0, which has"),
        ({"start_logits": [np.nan]}, "the start logit of token 0 in feature 0 is nan"),
    ],
)
def test_logits_that_do_not_fit(folder, change, message):
    path = folder / "logits.safetensors"
    found = logits.read(path)
    if "starts" in change:
        starts = [len(found.start_logits) if x is None else x for x in change["starts"]]
        change = {
            "starts": np.array(starts),
            "start_logits": found.start_logits[: starts[-1]],
            "end_logits": found.end_logits[: starts[-1]],
        }
    elif "start_logits" in change:
        values = found.start_logits.copy()
        values[0] = np.nan
        change = {"start_logits": values}
    logits.write(path, replace(found, **change))
    expect_error(predict(folder), folder, "logits.safetensors: ", message)


@pytest.mark.parametrize("kind", ["dataset", "vocab"])
def test_not_the_file_that_the_features_were_made_from(folder, kind):
    path = folder / {"dataset": "dev.json", "vocab": "vocab.txt"}[kind]
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    expect_error(predict(folder), folder, f"{path.name}: not the {kind} that", "features.safet")


@pytest.mark.parametrize(
    "name", ["dev.json", "vocab.txt", "features.safetensors", "logits.safetensors"]
)
def test_missing_file(folder, name):
    (folder / name).unlink()
    expect_error(predict(folder), folder, f"{name}: ", "o such file")


def test_truncated_logits(folder):
    path = folder / "logits.safetensors"
    path.write_bytes(path.read_bytes()[:-40])
    expect_error(predict(folder), folder, "logits.safetensors: not a whole safetensors file")


def test_old_answers_stay_when_decoding_fails(folder):
    (folder / "nbest.json").write_text("old")
    (folder / "logits.safetensors").write_bytes(b"")
    expect_error(predict(folder), folder, "logits.safetensors: not a whole safetensors file")
    assert (folder / "nbest.json").read_text() == "old"


def test_null_odds_and_questions_that_are_answered_by_nothing(folder):
    # [CLS] has -9 and -9, the best answers 4 and 2.5.
    run = predict(folder, "--null-odds", folder / "null_odds.json")
    assert run.returncode == 0, run.stderr
    text = (folder / "null_odds.json").read_text(encoding="utf-8")
    assert text == '{\n    "q1": -24.5,\n    "q0": -24.5\n}\n'
    assert read(folder, "predictions.json") == {"q1": "café's cat", "q0": "twice"}
    nbest = read(folder, "nbest.json")["q0"]
    assert {"text": "", "start_logit": -9.0, "end_logit": -9.0}.items() <= nbest[-1].items()
    options = ("--null-odds", folder / "null_odds.json", "--null-score-diff-threshold")
    assert predict(folder, *options, "-24.5").returncode == 0  # not above it
    assert read(folder, "predictions.json") == {"q1": "café's cat", "q0": "twice"}
    assert predict(folder, *options, "-24.6").returncode == 0
    assert read(folder, "predictions.json") == {"q1": "", "q0": ""}


def read(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--null-score-diff-threshold", "0"), "--null-score-diff-threshold needs --null-odds"),
        (("--null-score-diff-threshold", "nan"), "nan is not a finite number"),
        (("--null-score-diff-threshold", "x"), "invalid finite value: 'x'"),
    ],
)
def test_a_threshold_alone_or_that_is_no_number(folder, options, message):
    run = predict(folder, *options)
    assert run.returncode == 2
    assert message in run.stderr
