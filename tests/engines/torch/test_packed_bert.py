"""The inference form computes what bert.py does, by each form of its linear layers."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsquad.console.errors import UserError
from bertsquad.engines.torch import linears, packed_bert
from bertsquad.model import folder as model_folder
from engines.small_run import write_finetuned
from tiny_bert import random_batch

MODELS = {"heads of 8": {}, "heads of 32": {"hidden_size": 64, "num_attention_heads": 2}}

FORMS = {
    "packed by oneDNN": linears.PackedLinear,
    "plain": linears.PlainLinear,
}


@pytest.fixture(scope="module", params=MODELS.values(), ids=MODELS)
def folder(request, tmp_path_factory):
    return write_finetuned(tmp_path_factory.mktemp("run"), **request.param)


def expected(folder, batch, precision="fp32"):
    """bert.py's start and end logits: float32[T, 2]."""
    model = trained(folder)
    model.precision = precision
    with torch.no_grad():
        return torch.stack(model(batch), -1)


@cache
def trained(folder):
    return model_folder.load(folder).eval()


@pytest.fixture(params=FORMS)
def linear_form(request, monkeypatch):
    monkeypatch.setattr(packed_bert, "form_of", lambda dtype: FORMS[request.param])


def test_any_lengths_give_the_logits_of_bert_py(folder, linear_form):
    model = packed_bert.load(folder, "fp32")

    @settings(max_examples=25, deadline=None)
    @given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12))
    def equal(lengths):
        batch = random_batch(lengths)
        torch.testing.assert_close(
            model.packed(batch), expected(folder, batch), atol=5e-6, rtol=1e-5
        )

    equal()


@pytest.mark.parametrize(
    "config",
    [
        {"hidden_act": "gelu_new"},
        {"hidden_act": "gelu_pytorch_tanh"},
        {"layer_norm_eps": 1e-3},
        {"num_attention_heads": 1, "num_hidden_layers": 1},
    ],
    ids=str,
)
def test_a_model_is_run_as_its_configuration_says(tmp_path, linear_form, config):
    folder = write_finetuned(tmp_path, **config)
    batch = random_batch([7, 12, 12, 40])
    found = packed_bert.load(folder, "fp32").packed(batch)
    torch.testing.assert_close(found, expected(folder, batch), atol=5e-6, rtol=1e-5)


def test_batches_beyond_a_block_of_rows(folder, linear_form):
    batch = random_batch([40] * 30)
    model = replace(packed_bert.load(folder, "fp32"), block=500)
    found = model.packed(batch)
    torch.testing.assert_close(found, expected(folder, batch), atol=5e-6, rtol=1e-5)


def test_a_block_is_8_mib_of_the_intermediate_layer(tmp_path):
    folder = write_finetuned(tmp_path, intermediate_size=4096)
    assert packed_bert.load(folder, "fp32").block == 512
    assert packed_bert.load(folder, "bf16").block == 1024


def test_bf16_rounds_as_bert_py_does(folder):
    """The same roundings but for two: GELU's input is not, and sums have another order."""
    batch = random_batch([7, 12, 12, 40])
    exact = expected(folder, batch)
    found = packed_bert.load(folder, "bf16").packed(batch)
    assert found.dtype == torch.float32
    error = (expected(folder, batch, "bf16") - exact).std()
    assert 0.5 * error < (found - exact).std() < 1.5 * error


def test_a_model_can_be_run_again(folder, linear_form):
    """Products write into their inputs, never into the weights."""
    model = packed_bert.load(folder, "fp32")
    batch = random_batch([7, 12])
    assert torch.equal(model.packed(batch), model.packed(batch))


def test_bf16_weights_take_half_the_memory(folder):
    layer = packed_bert.load(folder, "bf16").layers[0]
    assert layer.query_key_value.weight.dtype == torch.bfloat16
    assert layer.output_norm.weight.dtype == torch.float32


def test_a_folder_without_an_answer_head_is_refused(tmp_path):
    write_finetuned(tmp_path)
    with pytest.raises(UserError, match=r"the tensor qa_outputs\.weight is missing"):
        packed_bert.load(tmp_path / "checkpoint", "fp32")
