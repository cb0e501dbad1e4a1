"""Attention with dropout and its gradients by compiled kernels."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bertsquad.kernels import attention
from bertsquad.kernels.attention import BACKWARD_KERNELS, KERNELS
from bertsquad.kernels.table import Kernel
from bertsquad.model.operations.attention import Attention
from bertsquad.model.operations.dropout import Masks, scale

BOTH = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
RUNS = [
    [(2, 7), (1, 1)],
    [(1, 33), (3, 95)],
    [(1, 96), (1, 97), (2, 164)],
    [(1, 200), (1, 383), (1, 6)],
    [(1, 512)],
]


@pytest.fixture
def both_passes(needs: Callable[[Kernel], None], dtype: torch.dtype) -> None:
    needs(KERNELS[dtype])
    needs(BACKWARD_KERNELS[dtype])


def written_out(
    projected: Tensor, gradient: Tensor, runs, heads: int, rate: float, masks
) -> tuple[Tensor, Tensor]:
    """What operations/attention.py computes: [T, H], and the gradient of [T, 3 H]."""
    leaf = projected.clone().requires_grad_()
    attended = Attention.apply(leaf, runs, heads, rate, masks)
    attended.backward(gradient)
    return attended.detach(), leaf.grad


def compiled(
    projected: Tensor, gradient: Tensor, runs, heads: int, rate: float, masks
) -> tuple[Tensor, Tensor]:
    kernel = attention.find_trained(projected.dtype, projected.shape[1] // heads // 3)
    starts = attention.starts_of_runs(runs)
    dropout = attention.dropout_of(runs, heads, masks, scale(rate))
    attended, softmax = kernel.forward(projected, starts, heads, dropout)
    return attended, kernel.backward(gradient, projected, softmax, starts, heads, dropout)


def drawn(runs, heads: int, size: int, dtype: torch.dtype, rate: float, seed: int = 0):
    tokens = sum(count * length for count, length in runs)
    generator = torch.Generator().manual_seed(seed)
    projected = torch.randn(tokens, 3 * heads * size, generator=generator).to(dtype)
    gradient = torch.randn(tokens, heads * size, generator=generator).to(dtype)
    bits = Masks([seed, 18])
    return projected, gradient, [bits.draw((c * heads, n, n), rate) for c, n in runs]


def rms(error: Tensor) -> float:
    return error.double().pow(2).mean().sqrt().item()


@BOTH
@pytest.mark.usefixtures("both_passes")
@pytest.mark.parametrize("rate", [0.0, 0.1])
@pytest.mark.parametrize("size", [32, 64])
def test_no_further_from_float64_than_the_products_written_out(
    dtype: torch.dtype, size: int, rate: float
) -> None:
    for runs in RUNS:
        projected, gradient, masks = drawn(runs, 3, size, dtype, rate)
        arguments = (runs, 3, rate, masks)
        exact = written_out(projected.double(), gradient.double(), *arguments)
        plain = written_out(projected, gradient, *arguments)
        found = compiled(projected, gradient, *arguments)
        for result, reference, by_products in zip(found, exact, plain, strict=True):
            # In FP32 both differ by the order of their sums; 1e-6 is a few roundings.
            allowed = max(rms(by_products - reference), 1e-6 * rms(reference))
            assert rms(result - reference) <= 1.05 * allowed


@BOTH
@pytest.mark.usefixtures("both_passes")
@settings(max_examples=25)
@given(
    runs=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 260)), min_size=1, max_size=3),
    heads=st.integers(1, 4),
    size=st.sampled_from([32, 64]),
    rate=st.sampled_from([0.0, 0.1, 0.5, 0.9]),
    threads=st.integers(1, 3),
    seed=st.integers(0, 100),
)
def test_any_runs_heads_rates_and_threads(
    dtype: torch.dtype, runs, heads: int, size: int, rate: float, threads: int, seed: int
) -> None:
    projected, gradient, masks = drawn(runs, heads, size, dtype, rate, seed)
    exact = written_out(projected.double(), gradient.double(), runs, heads, rate, masks)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = compiled(projected, gradient, runs, heads, rate, masks)
    finally:
        torch.set_num_threads(before)
    tolerance = {torch.bfloat16: 1e-2, torch.float32: 2e-6}[dtype]
    for result, reference in zip(found, exact, strict=True):
        assert rms(result - reference) <= tolerance * max(rms(reference), 0.1)


@BOTH
@pytest.mark.usefixtures("both_passes")
def test_the_same_again_with_any_threads(dtype: torch.dtype) -> None:
    runs = [(3, 77), (1, 130)]
    projected, gradient, masks = drawn(runs, 4, 32, dtype, 0.1)
    first = compiled(projected, gradient, runs, 4, 0.1, masks)
    torch.set_num_threads(1)
    again = compiled(projected, gradient, runs, 4, 0.1, masks)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


@BOTH
@pytest.mark.usefixtures("both_passes")
def test_without_dropout_the_result_is_that_of_inference(dtype: torch.dtype) -> None:
    runs = [(2, 50)]
    projected, gradient, masks = drawn(runs, 2, 64, dtype, 0.0)
    assert masks == [None]
    attended, _ = compiled(projected, gradient, runs, 2, 0.0, masks)
    run = attention.find(dtype, 64)
    assert torch.equal(attended, run(projected, attention.starts_of([50, 50]), 2))


@pytest.mark.parametrize("dtype", [torch.float32])
@pytest.mark.usefixtures("both_passes")
def test_wrong_tensors_are_refused(dtype: torch.dtype) -> None:
    runs = [(2, 5)]
    projected, gradient, masks = drawn(runs, 2, 32, dtype, 0.1)
    with pytest.raises(ValueError, match=r"mask is int8\[4, 5, 5\].*expected int8\[6, 5, 5\]"):
        attention.dropout_of(runs, 3, masks, 1.1)
    kernel = attention.find_trained(dtype, 32)
    starts = attention.starts_of_runs(runs)
    _, softmax = kernel.forward(projected, starts, 2, None)
    with pytest.raises(ValueError, match=r"of_attended is float32\[9, 64\]"):
        kernel.backward(gradient[1:], projected, softmax, starts, 2, None)
    with pytest.raises(ValueError, match=r"softmax is float32\[10, 2, 1\]"):
        kernel.backward(gradient, projected, softmax[..., :1].contiguous(), starts, 2, None)
