"""Tests of compiled kernels against PyTorch's own operations, in a few milliseconds.

python -m bertsquad.kernels.checking attention_bf16 library.so
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bertsquad.kernels import attention, normalization

# Below, at and above the sizes of registers, tiles and rows of a product.
LENGTHS = (1, 2, 7, 16, 33, 63, 64, 65, 100)
HEADS = 2
# The largest error of a rounding to the type, for values about 1, and as much for the sums.
TOLERANCES = {torch.bfloat16: 2**-6, torch.float32: 1e-5}


class WrongResult(Exception):
    """A kernel's result is not that of PyTorch's operations. One line."""


def check_attention(function: Any, dtype: torch.dtype) -> None:
    """Raises `WrongResult`. Scores are about 1 and, in the last head, up to 40."""
    generator = torch.Generator().manual_seed(18)
    starts = attention.starts_of(LENGTHS)
    for size in attention.HEAD_SIZES:
        drawn = torch.randn(sum(LENGTHS), 3, HEADS, size, generator=generator)
        drawn[:, 0, -1] *= 10
        projected = drawn.to(dtype).flatten(1)
        expected = plain_attention(projected, LENGTHS, HEADS)
        found = attention.attend(function, projected, starts, HEADS, dtype, size)
        compare(f"heads of {size}", found, expected, TOLERANCES[dtype])


def check_backward(function: Any, dtype: torch.dtype) -> None:
    """Raises `WrongResult`. Without the forward kernel, whose results PyTorch computes here."""
    generator = torch.Generator().manual_seed(18)
    runs = [(1, length) for length in LENGTHS]
    starts = attention.starts_of(LENGTHS)
    for size in attention.HEAD_SIZES:
        projected = torch.randn(sum(LENGTHS), 3 * HEADS * size, generator=generator).to(dtype)
        gradient = torch.randn(sum(LENGTHS), HEADS * size, generator=generator).to(dtype)
        kept = [
            torch.rand(HEADS, length, length, generator=generator).gt(0.25).to(torch.int8)
            for length in LENGTHS
        ]
        expected, softmax = plain_backward(projected, gradient, kept, 4 / 3)
        kernel = attention.TrainedAttention(None, function, dtype, size)
        dropout = attention.dropout_of(runs, HEADS, kept, 4 / 3)
        found = kernel.backward(gradient, projected, softmax, starts, HEADS, dropout)
        compare(f"gradients, heads of {size}", found, expected, 2 * TOLERANCES[dtype])


def plain_backward(
    projected: Tensor, gradient: Tensor, masks: list[Tensor], scale: float
) -> tuple[Tensor, Tensor]:
    """In float32, the gradient of `projected`, and the forward kernel's float32[T, heads, 2]."""
    lengths = [mask.shape[1] for mask in masks]
    of_projected, softmax = [], []
    for rows, of_rows, mask in zip(
        projected.float().split(lengths), gradient.float().split(lengths), masks, strict=True
    ):
        query, key, value = rows.view(len(rows), 3, len(mask), -1).permute(1, 2, 0, 3)
        of_attended = of_rows.view(len(rows), len(mask), -1).transpose(0, 1)
        root = query.shape[-1] ** -0.5
        scores = query @ key.mT
        largest = scores.amax(-1, keepdim=True)
        powers = ((scores - largest) * root).exp()
        share = 1 / powers.sum(-1, keepdim=True)
        probabilities = powers * share
        of_probabilities = of_attended @ value.mT * mask * scale
        mean = (probabilities * of_probabilities).sum(-1, keepdim=True)
        of_scores = probabilities * (of_probabilities - mean) * root
        of_value = (probabilities * mask * scale).mT @ of_attended
        parts = torch.stack([of_scores @ key, of_scores.mT @ query, of_value])
        of_projected.append(parts.permute(2, 0, 1, 3).flatten(1))
        softmax.append(torch.cat([largest, share], -1).transpose(0, 1))
    return torch.cat(of_projected), torch.cat(softmax)


def plain_attention(projected: Tensor, lengths: tuple[int, ...], heads: int) -> Tensor:
    """Attention in float32, one sequence at a time: [T, H]."""
    attended = []
    for rows in projected.float().split(lengths):
        query, key, value = rows.view(len(rows), 3, heads, -1).permute(1, 2, 0, 3)
        shares = (query @ key.mT * query.shape[-1] ** -0.5).softmax(-1)
        attended.append((shares @ value).transpose(0, 1).flatten(1))
    return torch.cat(attended)


def check_add_norm(function: Any) -> None:
    """Raises `WrongResult`. Rows have a mean that is not 0, and widths a rest beyond 16."""
    generator = torch.Generator().manual_seed(18)
    for rows, width in ((33, 384), (3, 37)):
        residual = torch.randn(rows, width, generator=generator) + 5
        weight, bias = torch.randn(2, width, generator=generator)
        for dtype in normalization.TYPES:
            x = torch.randn(rows, width, generator=generator).to(dtype)
            expected = F.layer_norm(residual + x, (width,), weight, bias, 1e-12)
            found = residual.clone()
            copy = normalization.normalize(function, found, x, weight, bias, 1e-12, dtype)
            compare(f"{dtype} of width {width}", found, expected, TOLERANCES[torch.float32])
            if copy is not None and not torch.equal(copy, found.bfloat16()):
                raise WrongResult(f"width {width}: the copy in BF16 is not the result, rounded")


def compare(what: str, found: Tensor, expected: Tensor, tolerance: float) -> None:
    error = ((found.float() - expected).abs() / expected.abs().clamp(min=1)).max().item()
    if not error <= tolerance:  # NaN is not, either
        raise WrongResult(f"{what}: off by {error:.2g}, allowed {tolerance:.2g}")


CHECKS: dict[str, Callable[[Any], None]] = {
    "attention_bf16": lambda function: check_attention(function, torch.bfloat16),
    "attention_fp32": lambda function: check_attention(function, torch.float32),
    "attention_backward_bf16": lambda function: check_backward(function, torch.bfloat16),
    "attention_backward_fp32": lambda function: check_backward(function, torch.float32),
    "add_norm": check_add_norm,
}


def main() -> None:
    name, library = sys.argv[1:]
    try:
        CHECKS[name](getattr(ctypes.CDLL(library), name))
    except WrongResult as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
