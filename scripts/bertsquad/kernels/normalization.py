"""Residual sum and LayerNorm at once, by a compiled kernel."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import c_float, c_int64, c_void_p
from typing import Any

import torch
from torch import Tensor

from bertsquad.kernels import loading, table
from bertsquad.kernels.calling import address, check, raise_for

TYPES = (torch.bfloat16, torch.float32)

AddNorm = Callable[[Tensor, Tensor, Tensor, Tensor, float], Tensor | None]


def find(dtype: torch.dtype) -> AddNorm | None:
    """A function of `residual`, `x`, `weight`, `bias` and `eps`, or None where PyTorch must do it.

    The function overwrites `residual`, float32[T, H], with LayerNorm(residual + x), `x` being
    [T, H] of type `dtype`, and `weight` and `bias` float32[H]. Where `dtype` is BF16 it returns the
    result in BF16 as well, for the next product, else None. It takes PyTorch's threads, and
    Python's lock is free meanwhile.

    None for another type, with BERTSQUAD_KERNELS=off, and, said in one line, where the kernel
    cannot run.
    """
    function = loading.find(table.ADD_NORM) if dtype in TYPES else None
    if function is None:
        return None

    def add_norm(
        residual: Tensor, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> Tensor | None:
        return normalize(function, residual, x, weight, bias, eps, dtype)

    return add_norm


def normalize(
    function: Any,
    residual: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    eps: float,
    dtype: torch.dtype,
) -> Tensor | None:
    rows, width = x.shape
    check("residual", residual, torch.float32, (rows, width))
    check("x", x, dtype, (rows, width))
    check("weight", weight, torch.float32, (width,))
    check("bias", bias, torch.float32, (width,))
    in_bf16 = dtype == torch.bfloat16
    copy = torch.empty_like(x) if in_bf16 else None
    status = function(
        address(residual),
        address(x),
        int(in_bf16),
        address(weight),
        address(bias),
        c_float(eps),
        c_void_p(None) if copy is None else address(copy),
        c_int64(rows),
        c_int64(width),
        torch.get_num_threads(),
    )
    raise_for(status)
    return copy
