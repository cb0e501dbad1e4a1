"""What OpenVINO is told of precision, threads, streams; a batch's error is its caller's."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from bertsquad import engines
from bertsquad.model import folder as model_folder
from engines.small_run import write_finetuned
from tiny_bert import random_batch


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return write_finetuned(tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize(("goal", "streams"), [("latency", 1), ("throughput", 2)])
def test_fp32_is_fp32_on_the_threads_asked_for(model_dir, goal, streams):
    engine = engines.load("openvino", model_dir, precision="fp32", threads=2, goal=goal)
    told = {
        name: engine.compiled.get_property(name)
        for name in ("INFERENCE_PRECISION_HINT", "INFERENCE_NUM_THREADS", "NUM_STREAMS")
    }
    assert told["INFERENCE_PRECISION_HINT"].get_type_name() == "f32"
    assert (told["INFERENCE_NUM_THREADS"], told["NUM_STREAMS"]) == (2, streams)


@pytest.mark.parametrize("goal", ["latency", "throughput"])
def test_after_broken_batches_the_engine_answers_as_before(model_dir, goal):
    engine = engines.load("openvino", model_dir, precision="fp32", threads=2, goal=goal)
    good = random_batch([7, 9, 9])
    before = engine.run(good)
    too_long = random_batch([41])  # the model has 40 positions
    for _ in range(engine.at_once + 1):
        with pytest.raises(RuntimeError, match=r"incompatible with provided dimensions: {1, 41}"):
            list(engine.stream([good, too_long, good]))
    for found, expected in zip(engine.run(good), before, strict=True):
        assert np.array_equal(found, expected)


def test_answers_are_copies(model_dir):
    engine = engines.load("openvino", model_dir, precision="fp32", threads=1)
    rows = np.ones((1, 5), np.int64)
    first, _ = engine.run_padded(rows, rows, rows)
    kept = first.copy()
    engine.run_padded(2 * rows, rows, rows)
    assert np.array_equal(first, kept)


def test_nothing_is_written_into_the_model_folder(model_dir):
    before = sorted(model_dir.iterdir())
    engines.load("openvino", model_dir, precision="fp32", threads=1)
    assert sorted(model_dir.iterdir()) == before


@pytest.mark.skipif(not engines.native("bf16"), reason="no BF16 here: OpenVINO's is not tested")
def test_bf16_differs_from_fp32_by_the_rounding_of_bf16(model_dir):
    """As much as the model's own BF16 does: the same number of bits, other places of rounding."""
    batch = random_batch([7, 9, 9, 40, 23, 31])
    exact = engines.load("openvino", model_dir, precision="fp32", threads=1).run(batch)
    found = engines.load("openvino", model_dir, precision="bf16", threads=1).run(batch)
    twin = model_folder.load(model_dir).eval()
    twin.precision = "bf16"
    with torch.no_grad():
        rounded = twin(batch)
    for true, ours, same_bits in zip(exact, found, rounded, strict=True):
        error, expected = ours - true, same_bits.numpy() - true
        assert 0.4 < error.std() / expected.std() < 1.8
        assert np.abs(error).max() < 5 * expected.std()
        assert abs(error.mean()) < expected.std()


def test_a_signal_is_heard_after_engines_have_come_and_gone(model_dir):
    """A process of its own: where the signal finds no stack, the kernel ends it."""
    script = """
import gc, signal, sys
from bertsquad import engines
heard = []
signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
loaded = [engines.load("openvino", sys.argv[1], precision="fp32", threads=1) for _ in range(3)]
while loaded:
    loaded.pop(0)
    gc.collect()
signal.raise_signal(signal.SIGTERM)
assert heard == [signal.SIGTERM]
"""
    environment = os.environ | {"PYTHONPATH": str(Path(engines.__file__).parents[2])}
    command = [sys.executable, "-c", script, str(model_dir)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
