"""What every call of a kernel does: look at its tensors, and at what the kernel returned."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

# What kernels return (team.h). UNSUPPORTED is looked for before a call.
NO_MEMORY = 1
WRONG_STARTS = 3


def check(name: str, tensor: Tensor, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    """ValueError unless the tensor is what a kernel may read: it takes bare addresses."""
    plain = tensor.is_contiguous() and tensor.device.type == "cpu"
    if plain and tensor.dtype == dtype and tensor.shape == shape:
        return
    found = f"{described(tensor.dtype, tensor.shape)}, strides {list(tensor.stride())}"
    wanted = f"{described(dtype, shape)}, contiguous, on the CPU"
    raise ValueError(f"{name} is {found}, on {tensor.device}; expected {wanted}")


def described(dtype: torch.dtype, shape: tuple[int, ...]) -> str:
    return f"{str(dtype).removeprefix('torch.')}{list(shape)}"


def address(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())


def raise_for(status: int) -> None:
    if status == NO_MEMORY:
        raise MemoryError("no memory for a kernel's workspace")
    if status == WRONG_STARTS:
        raise ValueError("starts must go from 0 to the number of tokens and never down")
    if status:
        raise RuntimeError(f"a kernel returned status {status}")
