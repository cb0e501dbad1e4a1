"""score.py: an own model on own questions by one command, and again only what has changed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import ROOT
from score import WORDS
from test_api import TOKENS, dataset
from tiny_bert import add_answer_head, write_model_folder

SCRIPT = ROOT / "scripts/score.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("score")
    add_answer_head(write_model_folder(folder / "mine", vocab=TOKENS, vocab_size=len(TOKENS)))
    write_model_folder(folder / "headless")
    (folder / "dev.json").write_text(json.dumps(dataset()))
    half = dataset()
    half["data"][0]["paragraphs"][0]["qas"][1]["answers"] = []
    (folder / "half.json").write_text(json.dumps(half))
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "work")


def score(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


CALL = ("--model", "mine", "--dataset", "dev.json", "--threads", "1")


def steps_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was done, from the lines that announce it."""
    announced = re.findall(r"^step (\d) of (\d): (.*)$", done.stderr, re.M)
    assert [number for number, _, _ in announced] == sorted(number for number, _, _ in announced)
    words = {text.partition(" {")[0]: name for name, text in WORDS.items()}
    return [words[said.removesuffix(" torch-fp32").partition(" onnx")[0]] for *_, said in announced]


ALL = ["convert_checkpoint", "featurize", "compute_logits", "predict", "evaluate"]


def test_scores_speed_and_files_come_of_one_command_and_once(folder: Path):
    done = score(folder, *CALL)
    assert done.returncode == 0, done.stderr
    assert steps_of(done) == ALL
    cell = folder / "results/mine--dev/torch-fp32"
    metrics = json.loads((cell / "metrics.json").read_text())
    said = done.stdout.splitlines()
    assert said[0] == "2 questions, by torch-fp32"
    assert said[1].startswith(f"exact match: {metrics['exact_match']:.2f} (")
    assert said[2].startswith(f"F1: {metrics['f1']:.2f} (")
    assert said[3].startswith("speed: ")
    assert json.loads((cell / "predictions.json").read_text()).keys() == {"q1", "q2"}
    assert (cell / "nbest_predictions.json").is_file()

    again = score(folder, *CALL)
    assert steps_of(again) == []
    assert again.stdout.splitlines() == ["nothing to do: all is as it was made", *said]

    other = score(folder, *CALL, "--engine", "onnxruntime")
    assert other.returncode == 0, other.stderr
    assert steps_of(other) == ALL[2:]
    shutil.rmtree(folder / "results/mine--dev/logs")  # only the speed is known from them
    last = score(folder, *CALL)
    assert last.returncode == 0, last.stderr
    assert steps_of(last) == []
    assert last.stdout.splitlines()[1:] == [line for line in said if line != said[3]]


@pytest.mark.slow
def test_what_changed_is_done_again_and_nothing_else(folder: Path):
    assert score(folder, *CALL).returncode == 0
    shutil.copy(folder / "dev.json", folder / "copy.json")
    (folder / "copy.json").replace(folder / "dev.json")  # the same content at another time
    assert steps_of(score(folder, *CALL)) == []
    changed = dataset()
    changed["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["text"] = "at seven"
    (folder / "dev.json").write_text(json.dumps(changed))
    assert steps_of(score(folder, *CALL)) == ALL[1:]
    (folder / "results/mine--dev/torch-fp32/metrics.json").unlink()
    assert steps_of(score(folder, *CALL)) == ["evaluate"]
    assert steps_of(score(folder, *CALL, "--max-query-length", "9")) == ALL[1:4]  # the same answers
    add_answer_head(folder / "mine", seed=2)
    assert steps_of(score(folder, *CALL, "--max-query-length", "9"))[0] == "convert_checkpoint"


@pytest.mark.slow
def test_int8_by_an_engine_that_needs_no_training_questions(folder: Path):
    done = score(folder, *CALL, "--engine", "onnxruntime", "--precision", "int8")
    assert done.returncode == 0, done.stderr
    assert steps_of(done) == [*ALL[:2], "quantize", *ALL[2:]]
    assert "2 questions, by onnxruntime-int8" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "none", "--dataset", "dev.json"), "none: no such folder"),
        (("--model", "headless", "--dataset", "dev.json"), "a model without an answer head"),
        (("--model", "mine", "--dataset", "none.json"), "none.json: no such file"),
        (("--model", "mine", "--dataset", "mine/vocab.txt"), "vocab.txt: not valid JSON"),
        (
            ("--model", "mine", "--dataset", "half.json"),
            "question 'q2' (data[0].paragraphs[0].qas[",
        ),
        ((*CALL, "--precision", "bf17"), "no engine has the precision 'bf17': torch has fp32, "),
        ((*CALL, "--threads", "4096"), "--threads 4096: this process may use "),
        ((*CALL, "--max-seq-length", "3"), "--max-seq-length 3: a window holds"),
        ((*CALL, "--max-query-length", "38"), "expected at most 37"),
        ((*CALL, "--engine", "openvino", "--precision", "int8"), "on training questions"),
        ((*CALL, "--max-seq-length", "400"), "max_position_embeddings 40"),
        ((*CALL, "--name", "a/b"), "--name a/b: expected letters"),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_made(
    folder: Path, arguments: tuple[str, ...], message: str
):
    done = score(folder, *arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("score.py: error: ")
    assert message in line
    assert not (folder / "results").exists()


def test_a_step_that_fails_says_so_once_and_is_tried_again(folder: Path):
    weights = folder / "mine/model.safetensors"
    whole = weights.read_bytes()
    (folder / "mine/vocab.txt").write_text("\n".join([*TOKENS, *map(str, range(99))]) + "\n")
    done = score(folder, *CALL)
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if "error: " in line]
    assert len(errors) == 1
    assert "expected at most" in errors[0]
    assert errors[0].startswith("score.py: error: ")
    (log,) = (folder / "results/mine--dev/logs/torch-fp32").glob("convert_checkpoint.log")
    command, *said = log.read_text().splitlines()
    assert "scripts/convert_checkpoint.py --model mine --output results/mine--dev/model" in command
    assert said[-1].startswith("convert_checkpoint.py: error: ")
    assert whole == weights.read_bytes()
    (folder / "mine/vocab.txt").write_text("\n".join(TOKENS) + "\n")
    assert score(folder, *CALL).returncode == 0


def test_windows_without_room_are_told(folder: Path):
    done = score(folder, *CALL, "--max-seq-length", "4")
    assert done.returncode == 2
    assert "leave no room for context in max_seq_length 4" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_questions_without_an_answer_are_scored_as_squad_2(folder: Path):
    given = dataset()
    given["data"][0]["paragraphs"][0]["qas"].append(
        {"id": "q3", "question": "Why?", "answers": [], "is_impossible": True}
    )
    (folder / "dev.json").write_text(json.dumps(given))
    done = score(folder, *CALL)
    assert done.returncode == 0, done.stderr
    cell = folder / "results/mine--dev/torch-fp32"
    assert json.loads((cell / "null_odds.json").read_text()).keys() == {"q1", "q2", "q3"}
    metrics = json.loads((cell / "metrics.json").read_text())
    assert (metrics["HasAns_total"], metrics["NoAns_total"]) == (2, 1)
    lines = done.stdout.splitlines()
    assert lines[3].startswith("2 answerable questions: exact match ")
    assert lines[4].startswith("1 unanswerable questions: exact match ")
    config = json.loads((folder / "results/mine--dev/config.yaml").read_text())
    assert config["dataset"]["version_2_with_negative"] is True
    assert steps_of(score(folder, *CALL)) == []


@pytest.mark.slow
def test_questions_whose_answers_nobody_knows_are_answered_and_not_scored(folder: Path):
    (folder / "dev.json").write_text(json.dumps(dataset(answered=False)))
    done = score(folder, *CALL)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "not scored: no question of the dataset has an answer"
