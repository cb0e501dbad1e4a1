"""Attention at inference, in the form that this processor computes fastest.

The choice is made here alone, by the type of the products, the size of a head, the processor and
whether there is a compiled kernel for it, so that the same machine always gives the same logits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from bertsquad.kernels import attention as compiled
from bertsquad.model.bert import Sequences
from bertsquad.model.matmul import bf16_native

# oneDNN's BF16 products are 1.1 to 1.2 times as fast where the number of keys is such a multiple.
MULTIPLE_OF_KEYS = 16

# [T, H] from query, key and value side by side, [T, 3 H], in their type.
Attend = Callable[[Tensor], Tensor]


class Attention(Protocol):
    """softmax(q k' / sqrt(d)) v, the softmax in float32, within each sequence."""

    name: str  # for the record of what computed a result

    def within(self, sequences: Sequences, heads: int) -> Attend:
        """The function of a batch, for all its layers."""
        ...


def form_of(dtype: torch.dtype, head_size: int) -> Attention:
    """The fastest for products of this type and heads of this size."""
    kernel = compiled.find(dtype, head_size) if dtype == torch.float32 or bf16_native() else None
    if kernel is not None:
        return Compiled(kernel, plain_form_of(dtype))
    return plain_form_of(dtype)


def plain_form_of(dtype: torch.dtype) -> ByRuns:
    """The fastest of PyTorch's operations."""
    if dtype == torch.float32:
        return ByRuns("sdpa", sdpa)
    return ByRuns("products", products) if bf16_native() else ByRuns("emulated", emulated)


class Compiled:
    """A compiled kernel; for padded sequences, of which it knows nothing, another form."""

    name = "compiled"

    def __init__(self, kernel: compiled.Attention, padded: Attention) -> None:
        self.kernel = kernel
        self.padded = padded

    def within(self, sequences: Sequences, heads: int) -> Attend:
        if sequences.mask is not None:
            return self.padded.within(sequences, heads)
        starts = compiled.starts_of_runs(sequences.runs)
        return partial(self.kernel, starts=starts, heads=heads)


class ByRuns:
    """PyTorch's operations, on all sequences of one length at a time."""

    def __init__(self, name: str, attend: OneLength) -> None:
        self.name = name
        self.attend = attend

    def within(self, sequences: Sequences, heads: int) -> Attend:
        return partial(self.by_runs, sequences, heads)

    def by_runs(self, sequences: Sequences, heads: int, projected: Tensor) -> Tensor:
        start, parts = 0, []
        for count, length in sequences.runs:
            run = projected[start : start + count * length].view(count, length, 3, heads, -1)
            query, key, value = run.permute(2, 0, 3, 1, 4)
            attended = self.attend(query, key, value, sequences.mask)
            parts.append(attended.transpose(1, 2).reshape(count * length, -1))
            start += count * length
        return parts[0] if len(parts) == 1 else torch.cat(parts)


class OneLength(Protocol):
    """Attention within sequences of one length."""

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """[count, heads, length, d] from three of them; `mask` bool[count, 1, 1, length]."""
        ...


def sdpa(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """PyTorch's own."""
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def products(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Two products by oneDNN with a softmax between them, for BF16 in hardware.

    On a core of Zen 4 1.6 times as fast as PyTorch's own attention with heads of 64 at SQuAD's
    lengths, as fast with heads of 32. Scores are rounded to BF16, as in training.
    """
    count, heads, length, size = query.shape
    keys = -(-length // MULTIPLE_OF_KEYS) * MULTIPLE_OF_KEYS
    absent = query.new_zeros(count if mask is not None else 1, 1, 1, keys)
    absent[..., length:] = float("-inf")
    if mask is not None:
        absent[..., :length].masked_fill_(~mask, float("-inf"))
        absent = absent.expand(-1, heads, -1, -1).flatten(0, 1)
    key, value = with_rows(key, keys), with_rows(value, keys)
    query = query.reshape(count * heads, length, size)
    scores = torch.baddbmm(absent.view(-1, 1, keys), query, key.mT, alpha=size**-0.5)
    return torch.bmm(scores.softmax(-1), value).view(count, heads, length, size)


def with_rows(x: Tensor, rows: int) -> Tensor:
    """[count * heads, rows, d]: [count, heads, length, d] and zeros below."""
    count, heads, length, size = x.shape
    copy = x.new_empty(count, heads, rows, size)
    copy[:, :, :length] = x
    copy[:, :, length:] = 0
    return copy.view(count * heads, rows, size)


def emulated(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """BF16 by FP32 products, on a processor without it: see `bertsquad.model.matmul`."""
    query, key, value = query.float(), key.float(), value.float()
    scores = (query @ key.transpose(-1, -2)).mul_(query.shape[-1] ** -0.5)
    if mask is not None:
        scores.masked_fill_(~mask, float("-inf"))
    shares = scores.softmax(-1).to(torch.bfloat16)
    return (shares.float() @ value).to(torch.bfloat16)
