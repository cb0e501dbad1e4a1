"""benchmark_inference.py measures one cell and says how."""

import json
import subprocess
import sys

import pytest

from engines.small_run import MAX_SEQ_LENGTH, QUESTION_LENGTH, write_features, write_finetuned

DOC_LENGTHS = [5, 33, 6, 20, 11, 12]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_features(folder / "features", write_finetuned(folder), DOC_LENGTHS)
    return folder


def run(root, folder, output, **changes):
    options = {
        "engine": "torch",
        "precision": "fp32",
        "model": folder / "model",
        "features": folder / "features",
        "scenario": "real-lengths",
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
    assert cell["latency_ms"]["p50"] == sorted(samples)[1]
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
    assert cell["started_at"].endswith("+00:00")
    assert "features/s; latency p50" in done.stdout


def test_all_threads_are_no_more_than_a_job_was_given(pytestconfig, folder, tmp_path):
    output = tmp_path / "cell.json"
    done = run(pytestconfig.rootpath, folder, output, **{"threads": "all", "at-most": 1})
    assert done.returncode == 0, done.stderr
    assert json.loads(output.read_text())["threads"] == 1
    assert "1 thread on processor" in done.stderr


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine": "tensorrt"}, "engine is 'tensorrt'; expected one of: torch"),
        ({"precision": "fp8"}, "precision is 'fp8'"),
        ({"padding": "longest"}, "invalid choice: 'longest'"),
        ({"batch-size": 0}, "0 is not 1 or more"),
        ({"iterations": 0}, "0 is not 1 or more"),
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
