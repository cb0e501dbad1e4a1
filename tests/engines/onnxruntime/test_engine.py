"""What ONNX Runtime is told of threads, and that a batch's error is its caller's."""

import numpy as np
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import Fail

from bertsquad import engines
from engines.small_run import write_finetuned
from tiny_bert import random_batch


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return write_finetuned(tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize(("goal", "inside", "at_once"), [("latency", 2, 1), ("throughput", 1, 4)])
def test_threads_work_together_on_one_batch_or_each_on_its_own(model_dir, goal, inside, at_once):
    engine = engines.load("onnxruntime", model_dir, precision="fp32", threads=2, goal=goal)
    assert engine.session.get_session_options().intra_op_num_threads == inside
    assert engine.at_once == at_once
    engine.close()


@pytest.mark.parametrize("goal", ["latency", "throughput"])
def test_after_a_broken_batch_the_engine_answers_as_before(model_dir, goal):
    engine = engines.load("onnxruntime", model_dir, precision="fp32", threads=2, goal=goal)
    good = random_batch([7, 9, 9])
    before = engine.run(good)
    too_long = random_batch([41])  # the model has 40 positions
    with pytest.raises(Fail):
        list(engine.stream([good, too_long, good]))
    for found, expected in zip(engine.run(good), before, strict=True):
        assert np.array_equal(found, expected)
    engine.close()
