"""OpenVINO and ONNX Runtime give transformers' logits, whatever the model's GELU and epsilon."""

import numpy as np
import pytest
import torch
import transformers

from bertsquad import engines
from engines.small_run import MAX_SEQ_LENGTH, write_finetuned
from tiny_bert import padded, random_batch

ENGINES = ("openvino", "onnxruntime")
LENGTHS = [7, 31, 31, 3, 40]
MODELS = {
    "exact GELU": {},
    "tanh GELU": {"hidden_act": "gelu_new"},
    "a large epsilon": {"layer_norm_eps": 1e-3},
}


@pytest.fixture(scope="module", params=MODELS.values(), ids=MODELS)
def model_dir(request, tmp_path_factory):
    return write_finetuned(tmp_path_factory.mktemp("run"), **request.param)


@pytest.fixture(scope="module")
def batch():
    return random_batch(LENGTHS)


@pytest.fixture(scope="module")
def expected(model_dir, batch):
    """transformers' start and end logits of the real tokens, end to end: float32[T] each."""
    reference = transformers.BertForQuestionAnswering.from_pretrained(model_dir).eval()
    input_ids, input_mask, segment_ids = padded(batch, MAX_SEQ_LENGTH)
    with torch.no_grad():
        output = reference(input_ids, attention_mask=input_mask, token_type_ids=segment_ids)
    real = input_mask.bool()
    return output.start_logits[real].numpy(), output.end_logits[real].numpy()


def run_padded(engine, batch):
    arrays = [tensor.numpy() for tensor in padded(batch, MAX_SEQ_LENGTH)]
    real = arrays[1].astype(bool)
    return [logits[real] for logits in engine.run_padded(*arrays)]


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("goal", ["latency", "throughput"])
@pytest.mark.parametrize("run", [lambda engine, batch: engine.run(batch), run_padded])
def test_packed_and_padded_logits_are_those_of_transformers(
    model_dir, batch, expected, name, goal, run
):
    engine = engines.load(name, model_dir, precision="fp32", threads=2, goal=goal)
    for found, reference in zip(run(engine, batch), expected, strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, reference, rtol=0, atol=1e-4)
    engine.close()
