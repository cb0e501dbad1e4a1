"""Self-attention over packed sequences by compiled kernels, for inference and for training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ctypes import c_float, c_int64, c_void_p
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from bertsquad.kernels import loading, table
from bertsquad.kernels.calling import address, check, raise_for

HEAD_SIZES = (32, 64)
KERNELS = {torch.bfloat16: table.ATTENTION_BF16, torch.float32: table.ATTENTION_FP32}
BACKWARD_KERNELS = {
    torch.bfloat16: table.ATTENTION_BACKWARD_BF16,
    torch.float32: table.ATTENTION_BACKWARD_FP32,
}

Attention = Callable[[Tensor, Tensor, int], Tensor]


def find(dtype: torch.dtype, head_size: int) -> Attention | None:
    """A function of `projected`, `starts` and `heads`, or None where PyTorch must do it.

    The function is softmax(q k' / sqrt(d)) v for every sequence and head: [T, H] from [T, 3 H],
    query, key and value side by side, both of type `dtype`. `starts`, int64[sequences + 1], holds
    each sequence's first token and T at last. Sums and softmax are in FP32. It takes PyTorch's
    threads, and Python's lock is free meanwhile.

    None for another type or head size, with BERTSQUAD_KERNELS=off, and, said in one line, where the
    kernel cannot run.
    """
    if dtype not in KERNELS or head_size not in HEAD_SIZES:
        return None
    function = loading.find(KERNELS[dtype])
    if function is None:
        return None

    def attention(projected: Tensor, starts: Tensor, heads: int) -> Tensor:
        return attend(function, projected, starts, heads, dtype, head_size)

    return attention


@dataclass(frozen=True, slots=True)
class Dropout:
    """Which probabilities are kept. `addresses` lives no longer than `masks`."""

    masks: Sequence[Tensor]  # int8[sequences of a run * heads, length, length] each, 0: dropped
    addresses: Tensor  # int64[sequences]: of each sequence's part of them
    scale: float  # what those kept are multiplied by


@dataclass(frozen=True, slots=True)
class TrainedAttention:
    """Attention with dropout, and its gradients. Probabilities are not kept but computed again."""

    forward_kernel: Any
    backward_kernel: Any
    dtype: torch.dtype
    head_size: int

    def forward(
        self, projected: Tensor, starts: Tensor, heads: int, dropout: Dropout | None
    ) -> tuple[Tensor, Tensor]:
        """What `find`'s function returns, and what `backward` needs: float32[T, heads, 2], each
        row's largest score and 1 / its sum of powers."""
        softmax = torch.empty(len(projected), heads, 2)
        attended = attend(
            self.forward_kernel,
            projected,
            starts,
            heads,
            self.dtype,
            self.head_size,
            dropout,
            softmax,
        )
        return attended, softmax

    def backward(
        self,
        of_attended: Tensor,
        projected: Tensor,
        softmax: Tensor,
        starts: Tensor,
        heads: int,
        dropout: Dropout | None,
    ) -> Tensor:
        """The gradient of `projected`, [T, 3 H], from that of what `forward` returned, [T, H]."""
        tokens, width = len(projected), heads * self.head_size
        check("of_attended", of_attended, self.dtype, (tokens, width))
        check("projected", projected, self.dtype, (tokens, 3 * width))
        check("softmax", softmax, torch.float32, (tokens, heads, 2))
        check("starts", starts, torch.int64, (len(starts),))
        of_projected = torch.empty_like(projected)
        status = self.backward_kernel(
            address(projected),
            address(of_attended),
            address(of_projected),
            address(softmax),
            address(starts),
            c_int64(len(starts) - 1),
            c_int64(tokens),
            c_int64(heads),
            c_int64(self.head_size),
            *arguments_of(dropout),
            torch.get_num_threads(),
        )
        raise_for(status)
        return of_projected


def find_trained(dtype: torch.dtype, head_size: int) -> TrainedAttention | None:
    """Both passes, or None where PyTorch must do them, as `find` says."""
    if dtype not in KERNELS or head_size not in HEAD_SIZES:
        return None
    forward = loading.find(KERNELS[dtype])
    backward = loading.find(BACKWARD_KERNELS[dtype])
    if forward is None or backward is None:
        return None
    return TrainedAttention(forward, backward, dtype, head_size)


def attend(
    function: Any,
    projected: Tensor,
    starts: Tensor,
    heads: int,
    dtype: torch.dtype,
    head_size: int,
    dropout: Dropout | None = None,
    softmax: Tensor | None = None,
) -> Tensor:
    """[T, H]; `softmax`, float32[T, heads, 2], is written where it is given."""
    tokens, width = len(projected), heads * head_size
    check("projected", projected, dtype, (tokens, 3 * width))
    check("starts", starts, torch.int64, (len(starts),))
    attended = projected.new_empty(tokens, width)
    status = function(
        address(projected),
        address(attended),
        address(starts),
        c_int64(len(starts) - 1),
        c_int64(tokens),
        c_int64(heads),
        c_int64(head_size),
        *arguments_of(dropout),
        c_void_p(None) if softmax is None else address(softmax),
        torch.get_num_threads(),
    )
    raise_for(status)
    return attended


def arguments_of(dropout: Dropout | None) -> tuple[c_void_p, c_float]:
    if dropout is None:
        return c_void_p(None), c_float(1)
    return address(dropout.addresses), c_float(dropout.scale)


def starts_of(lengths: Iterable[int]) -> Tensor:
    """int64[sequences + 1] from the tokens of each sequence."""
    return torch.tensor([0, *accumulate(lengths)], dtype=torch.int64)


def starts_of_runs(runs: Sequence[tuple[int, int]]) -> Tensor:
    """The same from (sequences, tokens of each)."""
    return starts_of(length for count, length in runs for _ in range(count))


def dropout_of(
    runs: Sequence[tuple[int, int]], heads: int, masks: Sequence[Tensor | None], scale: float
) -> Dropout | None:
    """Dropout by the masks of `Masks.draw`, one a run; None where there are none."""
    given = [mask for mask in masks if mask is not None]
    if not given:
        return None
    addresses = []
    for (count, length), mask in zip(runs, given, strict=True):
        check("mask", mask, torch.int8, (count * heads, length, length))
        size = heads * length * length
        addresses += [mask.data_ptr() + number * size for number in range(count)]
    return Dropout(given, torch.tensor(addresses, dtype=torch.int64), scale)
