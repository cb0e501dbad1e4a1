"""benchmark_inference.py measures one cell and says how."""

import json
import subprocess
import sys

import pytest

from bertsquad.data import features, squad
from bertsquad.data.featurization import featurize
from bertsquad.data.tokenization import Vocabulary
from bertsquad.files import sha256
from bertsquad.machine.cpu import has_native, read_cpu
from engines.small_run import MAX_SEQ_LENGTH, QUESTION_LENGTH, write_features, write_finetuned

DOC_LENGTHS = [5, 33, 6, 20, 11, 12]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_features(folder / "features", write_finetuned(folder), DOC_LENGTHS)
    write_questions(folder)
    return folder


def write_questions(folder):
    """dev.json, 6 paragraphs with 2 questions each, and the features made from it."""
    answers = [{"text": "w1", "answer_start": 0}]
    paragraphs = [
        {
            "context": " ".join(["w1", *(f"w{(7 * p + n) % 50}" for n in range(20))]),
            "qas": [
                {"id": f"{p}-{q}", "question": f"w{p} w{q}", "answers": answers} for q in range(2)
            ],
        }
        for p in range(6)
    ]
    path, vocab = folder / "dev.json", folder / "model/vocab.txt"
    path.write_text(json.dumps({"version": "1.1", "data": [{"paragraphs": paragraphs}]}))
    made = featurize(
        squad.load(path),
        Vocabulary(vocab),
        max_seq_length=MAX_SEQ_LENGTH,
        doc_stride=16,
        max_query_length=8,
        training=False,
    )
    made.metadata |= {"dataset_sha256": sha256(path), "vocab_sha256": sha256(vocab)}
    features.write(folder / "text_features", made)


def run(root, folder, output, **changes):
    options = {
        "engine": "torch",
        "precision": "fp32",
        "model": folder / "model",
        "features": folder / "features",
        "scenario": "real-lengths",
        "mode": "batches",
        "padding": "none",
        "batch-size": 2,
        "threads": 1,
        "warmup": 1,
        "iterations": 3,
        "repeat": 1,
        "output": output,
    } | changes
    arguments = [item for name, value in options.items() for item in (f"--{name}", str(value))]
    command = [sys.executable, "scripts/benchmark_inference.py", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("padding", "precision", "threads"), [("none", "bf16", "all"), ("max_length", "fp32", 1)]
)
def test_a_cell(pytestconfig, folder, tmp_path, padding, precision, threads):
    output = tmp_path / "cells/cell.json"
    changes = {"padding": padding, "precision": precision, "threads": threads}
    done = run(pytestconfig.rootpath, folder, output, **changes)
    assert done.returncode == 0, done.stderr
    cell = json.loads(output.read_text())
    # 3 batches of 2 take each of the 6 features once.
    tokens = sum(DOC_LENGTHS) + 6 * (QUESTION_LENGTH + 3)
    assert (cell["features"], cell["tokens"]) == (6, tokens)
    assert cell["computed_tokens"] == (tokens if padding == "none" else 6 * MAX_SEQ_LENGTH)
    samples = cell["latency_samples_ms"]
    assert len(samples) == 3
    assert cell["latency_ms"]["p50"]["needs"] == 6
    assert cell["latency_ms"]["max"] == max(samples)
    assert cell["features_per_second"] == pytest.approx(6000 / sum(samples))
    assert cell["peak_memory_mib"] > cell["memory_before_load_mib"] > 0
    assert cell["model_load_s"] > 0
    assert cell["first_inference_s"] > 0
    assert cell["max_seq_length"] == MAX_SEQ_LENGTH
    assert cell["threads_requested"] == str(threads)
    assert 1 <= cell["threads"] <= len(cell["cpus"])
    assert set(cell["cpus"]) <= set(cell["allowed_cpus"])
    assert cell["activity"]
    assert "onednn" in cell["versions"]
    assert cell["versions"]["torch"]
    assert cell["cpu"]
    assert isinstance(cell["native"], bool)
    assert cell["kernels"].startswith("attention: ")
    assert cell["started_at"].endswith("+00:00")
    assert "features/s; latency slowest of 3 " in done.stdout


def test_all_threads_are_no_more_than_a_job_was_given(pytestconfig, folder, tmp_path):
    output = tmp_path / "cell.json"
    done = run(pytestconfig.rootpath, folder, output, **{"threads": "all", "at-most": 1})
    assert done.returncode == 0, done.stderr
    assert json.loads(output.read_text())["threads"] == 1
    assert "1 thread on processor" in done.stderr


def test_a_cell_of_all_features_at_hand(pytestconfig, folder, tmp_path):
    output = tmp_path / "cell.json"
    changes = {"mode": "offline", "batch-size": "auto", "count": 4, "iterations": 2}
    done = run(pytestconfig.rootpath, folder, output, **changes)
    assert done.returncode == 0, done.stderr
    cell = json.loads(output.read_text())
    assert (cell["mode"], cell["batch_size"], cell["count"]) == ("offline", None, 4)
    assert (cell["features"], cell["batches"]) == (8, 1)
    samples = cell["pass_samples_s"]
    assert len(samples) == 2
    assert cell["features_per_second"] == pytest.approx(8 / sum(samples))
    assert "latency_ms" not in cell
    assert cell["activity"]
    assert "features/s; peak memory" in done.stdout


def test_a_cell_from_texts_to_answers(pytestconfig, folder, tmp_path):
    output = tmp_path / "cell.json"
    changes = {
        **{"mode": "end_to_end", "batch-size": "auto", "count": 8, "iterations": 2},
        **{"features": folder / "text_features", "dataset": folder / "dev.json"},
    }
    done = run(pytestconfig.rootpath, folder, output, **changes)
    assert done.returncode == 0, done.stderr
    cell = json.loads(output.read_text())
    assert (cell["mode"], cell["batch_size"]) == ("end_to_end", None)
    assert (cell["questions"], cell["features"]) == (16, 16)
    assert cell["questions_per_second"] == pytest.approx(16 / sum(cell["pass_samples_s"]))
    assert len(cell["model_samples_s"]) == 2
    assert cell["wall_s"] > 0
    assert cell["tokenise_s"] > 0
    assert cell["decode_s"] > 0
    assert (cell["n_best_size"], cell["max_answer_length"]) == (20, 30)
    assert "questions/s" in done.stdout


@pytest.mark.skipif(
    has_native("bf16", read_cpu().flags),
    reason="this processor has bf16: nothing is emulated that could be refused",
)
def test_an_emulated_precision_is_not_run_where_that_is_asked(pytestconfig, folder, tmp_path):
    output = tmp_path / "cell.json"
    changes = {"precision": "bf16", "emulated": "refuse"}
    done = run(pytestconfig.rootpath, folder, output, **changes)
    assert done.returncode == 0, done.stderr
    cell = json.loads(output.read_text())
    assert cell["refused"] == "this processor has no bf16 and would emulate it"
    assert (cell["native"], cell["batch_size"], cell["mode"]) == (False, 2, "batches")
    assert "latency_samples_ms" not in cell
    assert "not run: this processor has no bf16" in done.stdout


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine": "tensorrt"}, "engine is 'tensorrt'; expected one of: torch"),
        ({"precision": "fp8"}, "precision is 'fp8'"),
        ({"padding": "longest"}, "invalid choice: 'longest'"),
        ({"batch-size": 0}, "0 is not 1 or more"),
        ({"iterations": 0}, "0 is not 1 or more"),
        ({"mode": "offline"}, "a number with --mode batches, and `auto` with the others"),
        ({"mode": "offline", "batch-size": "auto"}, "--mode offline needs --count"),
        (
            {"mode": "end_to_end", "batch-size": "auto", "count": 1},
            "--mode end_to_end needs --dataset",
        ),
        ({"warmup": -1}, "-1 is not 0 or more"),
        ({"threads": "every"}, "every"),
        ({"model": "nowhere"}, "nowhere/vocab.txt"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(pytestconfig, folder, tmp_path, changes, message):
    done = run(pytestconfig.rootpath, folder, tmp_path / "cell.json", **changes)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
