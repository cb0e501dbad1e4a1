"""Self-attention over packed sequences by a compiled kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ctypes import c_int64
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from bertsquad.kernels import loading, table
from bertsquad.kernels.calling import address, check, raise_for

HEAD_SIZES = (32, 64)
KERNELS = {torch.bfloat16: table.ATTENTION_BF16, torch.float32: table.ATTENTION_FP32}

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


def attend(
    function: Any,
    projected: Tensor,
    starts: Tensor,
    heads: int,
    dtype: torch.dtype,
    head_size: int,
) -> Tensor:
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
        torch.get_num_threads(),
    )
    raise_for(status)
    return attended


def starts_of(lengths: Iterable[int]) -> Tensor:
    """int64[sequences + 1] from the tokens of each sequence."""
    return torch.tensor([0, *accumulate(lengths)], dtype=torch.int64)
