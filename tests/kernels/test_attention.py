"""Attention by a compiled kernel is softmax(q k' / sqrt(d)) v, whatever the lengths and heads."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bertsquad.kernels import attention
from bertsquad.kernels.attention import KERNELS, starts_of
from bertsquad.kernels.table import Kernel

BOTH = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])


def exact(projected: Tensor, lengths: list[int], heads: int) -> np.ndarray:
    """float64[T, H], by NumPy."""
    values = projected.double().numpy()
    attended = []
    for rows in np.split(values, np.cumsum(lengths)[:-1]):
        query, key, value = rows.reshape(len(rows), 3, heads, -1).transpose(1, 2, 0, 3)
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        shares = powers / powers.sum(-1, keepdims=True)
        attended.append((shares @ value).transpose(1, 0, 2).reshape(len(rows), -1))
    return np.concatenate(attended)


def by_pytorch(projected: Tensor, lengths: list[int], heads: int) -> Tensor:
    """The fused kernel of PyTorch, one sequence at a time."""
    attended = []
    for rows in projected.split(lengths):
        query, key, value = rows.view(len(rows), 3, heads, -1).permute(1, 2, 0, 3).unsqueeze(1)
        out = F.scaled_dot_product_attention(query, key, value)
        attended.append(out[0].transpose(0, 1).flatten(1))
    return torch.cat(attended)


def drawn(tokens: int, heads: int, size: int, dtype: torch.dtype, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(tokens, 3 * heads * size, generator=generator).to(dtype)


def rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error**2)))


@pytest.fixture
def found(needs: Callable[[Kernel], None]) -> Callable[[Tensor, list[int], int], Tensor]:
    def attend(projected: Tensor, lengths: list[int], heads: int) -> Tensor:
        needs(KERNELS[projected.dtype])
        run = attention.find(projected.dtype, projected.shape[1] // heads // 3)
        assert run is not None
        return run(projected, starts_of(lengths), heads)

    return attend


@pytest.mark.parametrize("size", [32, 64])
def test_bf16_is_no_further_from_float64_than_pytorch(found, size: int) -> None:
    # All remainders of 6 rows, 16 lanes, 32 keys and 64 keys, and the longest sequences.
    for lengths in (list(range(1, 101)), [127, 128, 129, 164], [255, 257, 384], [511, 512]):
        projected = drawn(sum(lengths), 2, size, torch.bfloat16)
        expected = exact(projected, lengths, 2)
        error = found(projected, lengths, 2).double().numpy() - expected
        allowed = by_pytorch(projected, lengths, 2).double().numpy() - expected
        assert rms(error) <= 1.02 * rms(allowed)
        assert abs(error).max() <= 1.5 * abs(allowed).max()


@pytest.mark.parametrize("size", [32, 64])
def test_fp32_is_within_1e_5_of_float64(found, size: int) -> None:
    for lengths in (list(range(1, 101)), [127, 128, 129, 164], [255, 257, 384], [511, 512]):
        projected = drawn(sum(lengths), 2, size, torch.float32)
        expected = exact(projected, lengths, 2)
        result = found(projected, lengths, 2).double().numpy()
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@BOTH
@settings(max_examples=40)
@given(
    lengths=st.lists(st.integers(1, 512), min_size=1, max_size=4),
    heads=st.integers(1, 5),
    size=st.sampled_from([32, 64]),
    threads=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_any_lengths_heads_and_threads(
    needs, dtype: torch.dtype, lengths: list[int], heads: int, size: int, threads: int, seed: int
) -> None:
    needs(KERNELS[dtype])
    projected = drawn(sum(lengths), heads, size, dtype, seed)
    run = attention.find(dtype, size)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        result = run(projected, starts_of(lengths), heads)
    finally:
        torch.set_num_threads(before)
    tolerance = {torch.bfloat16: 2**-6, torch.float32: 1e-5}[dtype]
    np.testing.assert_allclose(
        result.double().numpy(), exact(projected, lengths, heads), rtol=tolerance, atol=tolerance
    )


@BOTH
def test_result_does_not_depend_on_neighbours_or_threads(found, dtype: torch.dtype) -> None:
    lengths = [40, 1, 97]
    projected = drawn(sum(lengths), 3, 32, dtype)
    together = found(projected, lengths, 3)
    alone = [found(rows, [len(rows)], 3) for rows in projected.split(lengths)]
    assert torch.equal(together, torch.cat(alone))
    torch.set_num_threads(1)
    assert torch.equal(together, found(projected, lengths, 3))


@BOTH
def test_empty_sequences_and_empty_batches(found, dtype: torch.dtype) -> None:
    projected = drawn(5, 2, 32, dtype)
    whole = found(projected, [5], 2)
    assert torch.equal(found(projected, [0, 5, 0], 2), whole)
    assert found(projected[:0], [], 2).shape == (0, 64)


@BOTH
@pytest.mark.parametrize("largest", [1e4, 1e8, 1e15])
def test_huge_scores_choose_the_best_key(found, dtype: torch.dtype, largest: float) -> None:
    length, size = 77, 64
    query, key, value = torch.randn(3, length, size, generator=torch.Generator().manual_seed(3))
    projected = torch.cat([query * largest, key * largest, value], 1).to(dtype)
    result = found(projected, [length], 1)
    scores = projected[:, :size].double() @ projected[:, size : 2 * size].double().T
    assert torch.equal(result, projected[scores.argmax(1), 2 * size :])


@BOTH
def test_equal_scores_give_the_mean(found, dtype: torch.dtype) -> None:
    projected = drawn(64, 1, 32, dtype)
    projected[:, 32:64] = 0
    mean = projected[:, 64:].double().mean(0)
    result = found(projected, [64], 1).double()
    torch.testing.assert_close(result, mean.expand(64, -1), rtol=0, atol=2e-3)


@BOTH
def test_nan_in_a_sequence_stays_there(found, dtype: torch.dtype) -> None:
    projected = drawn(20, 1, 32, dtype)
    projected[3, 40] = float("nan")
    result = found(projected, [10, 10], 1)
    assert result[:10].isnan().any()
    assert not result[10:].isnan().any()


def test_wrong_tensors_are_refused(found, bf16_kernel: Kernel) -> None:
    run = attention.find(torch.bfloat16, 32)
    projected, starts = drawn(7, 2, 32, torch.bfloat16), starts_of([3, 4])
    with pytest.raises(ValueError, match=r"projected is float32\[7, 192\].*expected bfloat16"):
        run(projected.float(), starts, 2)
    with pytest.raises(ValueError, match=r"bfloat16\[7, 192\].*expected bfloat16\[7, 288\]"):
        run(projected, starts, 3)
    with pytest.raises(ValueError, match="strides"):
        run(projected.T.contiguous().T, starts, 2)
    with pytest.raises(ValueError, match="starts is int32"):
        run(projected, starts.int(), 2)
    for wrong in ([0, 3, 8], [0, 8, 7], [1, 7], [0, 6]):
        with pytest.raises(ValueError, match="starts must go from 0 to the number of tokens"):
            run(projected, torch.tensor(wrong), 2)


def test_other_types_and_sizes_are_left_to_pytorch() -> None:
    assert attention.find(torch.float16, 64) is None
    assert attention.find(torch.bfloat16, 48) is None
