"""LayerNorm(residual + x) in place by a compiled kernel."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bertsquad.kernels import normalization, table
from bertsquad.kernels.table import Kernel

BOTH = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])


@pytest.fixture(autouse=True)
def kernel(needs: Callable[[Kernel], None]) -> None:
    needs(table.ADD_NORM)


def exact(residual: Tensor, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> np.ndarray:
    """float64, by NumPy."""
    total = residual.double().numpy() + x.double().numpy()
    off = total - total.mean(1, keepdims=True)
    deviation = np.sqrt((off**2).mean(1, keepdims=True) + eps)
    return off / deviation * weight.double().numpy() + bias.double().numpy()


@BOTH
@settings(max_examples=60)
@given(
    rows=st.integers(0, 70),
    width=st.integers(1, 1100),
    threads=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_any_rows_and_widths(
    dtype: torch.dtype, rows: int, width: int, threads: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    residual = torch.randn(rows, width, generator=generator) * 2 + 1
    x = torch.randn(rows, width, generator=generator).to(dtype)
    weight, bias = torch.randn(2, width, generator=generator)
    expected = exact(residual, x, weight, bias, 1e-5)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        copy = normalization.find(dtype)(residual, x, weight, bias, 1e-5)
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(residual.double().numpy(), expected, rtol=1e-5, atol=2e-5)
    if dtype == torch.bfloat16:
        assert torch.equal(copy, residual.bfloat16())
    else:
        assert copy is None


def test_a_large_mean_costs_no_precision() -> None:
    """The variance is of differences from the mean, as PyTorch's is; E[x^2] - E[x]^2 would be 0."""
    x = torch.zeros(1, 384)
    residual = 10_000 + torch.randn(1, 384, generator=torch.Generator().manual_seed(0))
    weight, bias = torch.ones(384), torch.zeros(384)
    expected = exact(residual, x, weight, bias, 1e-12)
    normalization.find(torch.float32)(residual, x, weight, bias, 1e-12)
    np.testing.assert_allclose(residual.numpy(), expected, atol=2e-3)


def test_wrong_tensors_are_refused() -> None:
    run = normalization.find(torch.bfloat16)
    residual, x = torch.zeros(4, 8), torch.zeros(4, 8).bfloat16()
    weight, bias = torch.ones(8), torch.zeros(8)
    with pytest.raises(ValueError, match=r"residual is bfloat16\[4, 8\]"):
        run(x, x, weight, bias, 1e-12)
    with pytest.raises(ValueError, match=r"x is float32\[4, 8\]"):
        run(residual, residual, weight, bias, 1e-12)
    with pytest.raises(ValueError, match=r"weight is float32\[7\]"):
        run(residual, x, weight[:7], bias, 1e-12)
    with pytest.raises(ValueError, match=r"residual is float32\[3, 8\]"):
        run(residual[:3], x, weight, bias, 1e-12)
