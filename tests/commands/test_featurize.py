"""featurize.py on the command line."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bertsquad.data.features import Features

ROOT = Path(__file__).resolve().parents[2]
LENGTHS = ["--max-seq-length=16", "--doc-stride=4", "--max-query-length=4"]


def featurize(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts/featurize.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def paragraph(context: str, *questions: tuple[str, str, list[tuple[str, int]]]) -> dict[str, Any]:
    return {
        "context": context,
        "qas": [
            {
                "id": id,
                "question": text,
                "answers": [{"text": answer, "answer_start": start} for answer, start in answers],
            }
            for id, text, answers in questions
        ],
    }


def write_dataset(path: Path, *paragraphs: dict[str, Any]) -> Path:
    data = [{"title": "t", "paragraphs": paragraphs}]
    path.write_text(json.dumps({"version": "1.1", "data": data}), encoding="utf-8")
    return path


@pytest.fixture
def vocab(tmp_path: Path) -> Path:
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "who", "?", "ann", "bob", "saw", "."]
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(
        tmp_path / "dev.json",
        paragraph("Ann saw Bob.", ("q1", "Who?", [("Bob", 8)]), ("q2", "who", [("Ann", 1)])),
    )


def test_features_for_predicting(dataset: Path, vocab: Path, tmp_path: Path) -> None:
    output = tmp_path / "new/dev.safetensors"
    done = featurize("--dataset", dataset, "--vocab", vocab, "--output", output, *LENGTHS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{dataset}: 2 questions, 1 paragraphs, version 1.1",
        "2 features of at most 9 tokens, 8.5 on average; lower-cased, as the capitals in the "
        "vocabulary suggest",
        "warning: an answer is not at its answer_start: 1 question (q2)",
    ]
    features = Features.open(output)
    assert features.lengths.tolist() == [9, 8]
    assert not features.training
    assert features.metadata == {
        "version": 1,
        "dataset_sha256": hashlib.sha256(dataset.read_bytes()).hexdigest(),
        "vocab_sha256": hashlib.sha256(vocab.read_bytes()).hexdigest(),
        "max_seq_length": 16,
        "doc_stride": 4,
        "max_query_length": 4,
        "lowercase": True,
        "strip_accents": True,
        "cls": 2,
        "sep": 3,
        "questions": 2,
        "skipped": {},
        "truncated": {"count": 0, "first": []},
    }


def test_a_casing_against_the_vocabulary_is_obeyed_and_said(
    dataset: Path, vocab: Path, tmp_path: Path
) -> None:
    output = tmp_path / "dev.safetensors"
    done = featurize(
        *("--dataset", dataset, "--vocab", vocab, "--output", output, *LENGTHS, "--casing=cased")
    )
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == (
        f"warning: text is read cased, but {vocab} is not cased: "
        "a model with this vocabulary was not trained on such text"
    )
    features = Features.open(output)
    assert features.metadata["lowercase"] is False
    unknown = 1
    assert features.packed([0]).input_ids.tolist()[:3] == [2, unknown, 5]  # [CLS] Who ?


def test_training_says_what_it_skips_and_why(vocab: Path, tmp_path: Path) -> None:
    dataset = write_dataset(
        tmp_path / "train.json",
        paragraph(
            "Ann saw Bob.",
            ("q1", "Who?", [("Bob", 8)]),
            ("q2", "Who saw Bob?", []),
            ("q3", "Who did she see?", [("Eve", 8)]),
        ),
    )
    output = tmp_path / "train.safetensors"
    arguments = ["--training", "--dataset", dataset, "--vocab", vocab, "--output", output]
    done = featurize(*arguments, *LENGTHS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2:] == [
        "skipped: 1 question (q2): no answer",
        "skipped: 1 question (q3): the answer is not in the context at its answer_start",
        "cut to 4 word pieces: 1 question (q3)",
    ]
    assert Features.open(output).start_position.tolist() == [6]


def test_equal_input_gives_equal_bytes(dataset: Path, vocab: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / "one", tmp_path / "two"]
    for output in outputs:
        featurize("--dataset", dataset, "--vocab", vocab, "--output", output, *LENGTHS)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_a_user_error_is_one_line_and_leaves_the_old_file(
    dataset: Path, vocab: Path, tmp_path: Path
) -> None:
    output = tmp_path / "dev.safetensors"
    output.write_text("old", encoding="utf-8")
    dataset.write_text(dataset.read_text(encoding="utf-8").replace("q2", "q1"), encoding="utf-8")
    done = featurize("--dataset", dataset, "--vocab", vocab, "--output", output, *LENGTHS)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"featurize.py: error: {dataset}: question id 'q1' is at data[0].paragraphs[0].qas[0] and "
        "again at data[0].paragraphs[0].qas[1]; expected every id once\n"
    )
    assert output.read_text(encoding="utf-8") == "old"


def test_a_guessed_casing_that_leaves_the_text_unknown_is_refused(tmp_path: Path) -> None:
    vocab = tmp_path / "vocab.txt"
    vocab.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nपदों\nपर\n?\n", encoding="utf-8")
    dataset = write_dataset(tmp_path / "dev.json", paragraph("पदों पर", ("q1", "पदों?", [])))
    output = tmp_path / "dev.safetensors"
    options = ("--dataset", dataset, "--vocab", vocab, "--output", output, *LENGTHS)
    done = featurize(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert "looks uncased, but then 50.0% of the word pieces are [UNK], and 0.0%" in done.stderr
    assert not output.exists()
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    done = featurize(*options)
    assert done.stdout.splitlines()[1].endswith("; cased")
    assert Features.open(output).packed([0]).input_ids.tolist() == [2, 4, 6, 3, 4, 5, 3]


def test_a_missing_vocabulary(dataset: Path, tmp_path: Path) -> None:
    done = featurize(
        "--dataset", dataset, "--vocab", tmp_path / "none.txt", "--output", tmp_path / "x"
    )
    assert done.returncode == 2
    assert "none.txt: no such file" in done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
@pytest.mark.real_data
def test_the_real_training_set_takes_little_memory(
    squad_dir: Path, uncased_vocab: Path, tmp_path: Path
) -> None:
    output = tmp_path / "train.safetensors"
    command = [sys.executable, ROOT / "scripts/featurize.py", "--training", "--output", output]
    command += ["--dataset", squad_dir / "train-v1.1.json", "--vocab", uncased_vocab]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert len(Features.open(output)) == 88_641
    assert output.stat().st_size < 20e6
    assert usage.ru_maxrss < 2 * 1024**2  # KiB
