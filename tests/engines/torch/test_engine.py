"""The torch engine gives transformers' logits, in FP32 to float tolerance, in BF16 closely."""

import threading
from contextlib import closing

import numpy as np
import pytest
import torch
import transformers

from bertsquad import engines
from bertsquad.engines.torch.engine import teams_of
from bertsquad.model.matmul import bf16_native
from engines.small_run import MAX_SEQ_LENGTH, write_finetuned
from tiny_bert import TINY, padded, random_batch

LENGTHS = [7, 31, 31, 3, 40]


# Kernels are compiled for heads of 32 and 64 alone.
MODELS = {
    "heads of 8": {},
    "heads of 32": {"hidden_size": 64, "num_attention_heads": 2},
    "heads of 64": {"hidden_size": 64, "num_attention_heads": 1},
}


@pytest.fixture(scope="module", params=MODELS.values(), ids=MODELS)
def any_model_dir(request, tmp_path_factory):
    return write_finetuned(tmp_path_factory.mktemp("run"), **request.param)


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return write_finetuned(tmp_path_factory.mktemp("run"))


@pytest.fixture(params=["auto", "off"])
def kernels(request, monkeypatch):
    """With compiled kernels where this machine has them, and without."""
    monkeypatch.setenv("BERTSQUAD_KERNELS", request.param)


@pytest.fixture(scope="module")
def batch():
    return random_batch(LENGTHS)


@pytest.fixture(scope="module")
def expected(any_model_dir, batch):
    """transformers' start and end logits of the real tokens, end to end: float32[T] each."""
    reference = transformers.BertForQuestionAnswering.from_pretrained(any_model_dir).eval()
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
    any_model_dir, batch, expected, kernels, precision, tolerance, run
):
    engine = engines.load("torch", any_model_dir, precision=precision, threads=1)
    for found, reference in zip(run(engine, batch), expected, strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, reference, rtol=0, atol=tolerance)


def test_bf16_is_not_fp32_by_another_name(model_dir, batch):
    fp32, bf16 = (
        engines.load("torch", model_dir, precision=name, threads=1).run(batch)[0]
        for name in ("fp32", "bf16")
    )
    assert np.abs(fp32 - bf16).max() > 1e-3


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


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_says_what_computes_attention_and_layernorm(any_model_dir, monkeypatch, precision):
    monkeypatch.setenv("BERTSQUAD_KERNELS", "off")
    engine = engines.load("torch", any_model_dir, precision=precision, threads=1)
    plain = {"fp32": "sdpa", "bf16": "products" if bf16_native() else "emulated"}[precision]
    assert engine.kernels == f"attention: {plain}, LayerNorm: torch"


def test_the_threads_of_throughput_each_take_a_batch_of_their_own(model_dir):
    before = torch.get_num_threads()
    try:
        engine = engines.load("torch", model_dir, precision="fp32", threads=2, goal="throughput")
        with closing(engine):
            in_a_worker = engine.pool.submit(torch.get_num_threads).result()
            assert (engine.workers, in_a_worker, torch.get_num_threads()) == (2, 1, 2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("threads", "teams"),
    [(1, (1, 1)), (2, (2, 1)), (16, (16, 1)), (17, (8, 2)), (24, (12, 2)), (64, (16, 4))],
)
def test_many_threads_share_few_batches(threads, teams):
    assert teams_of(threads) == teams


@pytest.fixture(params=["latency", "throughput"])
def engine(request, model_dir):
    before = torch.get_num_threads()
    engine = engines.load("torch", model_dir, precision="fp32", threads=2, goal=request.param)
    with closing(engine):
        yield engine
    torch.set_num_threads(before)


def test_a_stream_answers_every_batch_once(engine):
    batches = [random_batch([5, length], seed=length) for length in range(1, 20)]
    answers = {id(answered.batch): answered for answered in engine.stream(batches)}
    assert len(answers) == len(batches)
    for batch in batches:
        start, end = engine.run(batch)
        np.testing.assert_allclose(answers[id(batch)].start_logits, start, rtol=0, atol=1e-5)
        np.testing.assert_allclose(answers[id(batch)].end_logits, end, rtol=0, atol=1e-5)


def test_a_stream_reads_no_more_batches_than_it_needs_to_keep_busy(engine):
    read = 0

    def batches():
        nonlocal read
        for seed in range(20):
            read += 1
            yield random_batch([5], seed=seed)

    stream = engine.stream(batches())
    for answered in range(1, 6):
        next(stream)
        assert read <= answered + 2 * engine.workers
    stream.close()


def test_what_goes_wrong_in_a_batch_is_raised_to_who_reads_the_stream(engine):
    good, bad = random_batch([5]), random_batch([5], vocab_size=TINY["vocab_size"])
    bad.input_ids[2] = TINY["vocab_size"]
    with pytest.raises(IndexError):
        list(engine.stream([good, bad, good]))
    assert len(list(engine.stream([good, good]))) == 2


def test_closing_ends_the_workers(model_dir):
    engine = engines.load("torch", model_dir, precision="fp32", threads=2, goal="throughput")
    list(engine.stream([random_batch([5])] * 4))
    engine.close()
    assert not [t for t in threading.enumerate() if t in engine.pool._threads]
