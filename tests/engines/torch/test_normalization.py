"""Both forms of the residual sum and LayerNorm give the same, in as many blocks as there are."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsquad.engines.torch import linears, normalization
from bertsquad.model.matmul import bf16_native

WIDTH, INNER = 24, 40
TYPES = [torch.float32] + [torch.bfloat16] * bf16_native()


def forms(dtype):
    """That of PyTorch's operations, and the compiled one if this machine has it."""
    return [normalization.InSteps(), normalization.form_of(dtype)]


@pytest.mark.parametrize("dtype", TYPES)
def test_it_is_layernorm_of_the_sum_whatever_the_blocks(dtype):
    torch.manual_seed(0)
    weight, bias = torch.randn(WIDTH, INNER) / 6, torch.randn(WIDTH)
    norm = normalization.Norm(torch.randn(WIDTH), torch.randn(WIDTH), 1e-3)
    linear = linears.form_of(dtype)(weight.to(dtype), bias)

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    def close(blocks):
        residual, x = torch.randn(sum(blocks), WIDTH), torch.randn(sum(blocks), INNER).to(dtype)
        expected = norm(residual + linear(x).float())
        for form in forms(dtype):
            normal, operand = form(residual.clone(), x.split(blocks), linear, norm)
            assert normal.dtype == torch.float32
            torch.testing.assert_close(normal, expected, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(operand.to(dtype), expected.to(dtype), atol=0.02, rtol=0.01)

    close()


@pytest.mark.parametrize("dtype", TYPES)
def test_without_kernels_it_is_pytorchs_operations(monkeypatch, dtype):
    monkeypatch.setenv("BERTSQUAD_KERNELS", "off")
    assert normalization.form_of(dtype).name == "torch"
