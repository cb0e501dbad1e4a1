"""The torch engine gives transformers' logits, in FP32 to float tolerance, in BF16 closely."""

import numpy as np
import pytest
import torch
import transformers

from bertsquad import engines
from engines.small_run import MAX_SEQ_LENGTH, write_finetuned
from tiny_bert import padded, random_batch

LENGTHS = [7, 31, 31, 3, 40]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return write_finetuned(tmp_path_factory.mktemp("run"))


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


@pytest.mark.parametrize(
    ("precision", "tolerance"),
    # BF16 keeps 8 bits: these logits are of size 5 or so.
    [("fp32", 1e-4), ("bf16", 0.15)],
)
@pytest.mark.parametrize("run", [lambda engine, batch: engine.run(batch), run_padded])
def test_packed_and_padded_logits_are_those_of_transformers(
    model_dir, batch, expected, precision, tolerance, run
):
    engine = engines.load("torch", model_dir, precision=precision, threads=1)
    for found, reference in zip(run(engine, batch), expected, strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, reference, rtol=0, atol=tolerance)


def test_bf16_is_not_fp32_by_another_name(model_dir, batch):
    fp32, bf16 = (
        engines.load("torch", model_dir, precision=name, threads=1).run(batch)[0]
        for name in ("fp32", "bf16")
    )
    assert np.abs(fp32 - bf16).max() > 1e-3


def test_bf16_weights_are_cast_once(model_dir):
    engine = engines.load("torch", model_dir, precision="bf16", threads=1)
    assert engine.model.bert.encoder.layer[0].output.dense.weight.dtype == torch.bfloat16
    assert engine.model.qa_outputs.weight.dtype == torch.float32


def test_the_threads_are_those_asked_for(model_dir):
    before = torch.get_num_threads()
    try:
        for threads in (2, 1):
            engine = engines.load("torch", model_dir, precision="fp32", threads=threads)
            assert (engine.threads, torch.get_num_threads()) == (threads, threads)
    finally:
        torch.set_num_threads(before)


def test_it_says_what_it_is(model_dir):
    engine = engines.load("torch", model_dir, precision="bf16", threads=1)
    assert (engine.name, engine.precision) == ("torch", "bf16")


def test_no_gradients_are_kept(model_dir, batch):
    engine = engines.load("torch", model_dir, precision="fp32", threads=1)
    assert not any(parameter.requires_grad for parameter in engine.model.parameters())
    assert not engine.model.training
