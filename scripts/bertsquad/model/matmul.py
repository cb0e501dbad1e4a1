"""Matrix products: which library computes them, and those in BF16.

Products in FP32 are by the library that is fastest on this processor. Those in BF16 are by the
processor where it has them, otherwise emulated by FP32 products.

A BF16 product of the hardware multiplies BF16 numbers exactly, sums in FP32 and rounds the sum to
BF16. FP32 products of numbers that were rounded to BF16 do the same; only the order of the sums
differs. Where the processor has no BF16 instructions that is 5 to 7 times as fast as PyTorch's own
BF16 kernels (2 cores of Zen 3: 120 against 19 GFLOP/s), though no faster than FP32.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bertsquad.machine import cpu
from bertsquad.machine.cpu import CpuInfo, cpu_flags, has_native_bf16
from bertsquad.machine.reading import attempt

# The rows that oneDNN packs weights for; its format does not depend on them from a few dozen up.
TYPICAL_ROWS = 2048


@cache
def bf16_native() -> bool:
    """Whether BF16 products run on BF16 instructions here: the processor shows them and oneDNN,
    which has PyTorch's kernels for them, uses them."""
    return has_native_bf16(cpu_flags()) and torch.ops.mkldnn._is_mkldnn_bf16_supported()


@cache
def fp32_products() -> str:
    """Whose FP32 products are used here: `onednn` or `blas`, see `machine.cpu.fp32_products`."""
    return _choice(cpu.fp32_products)


@cache
def fp32_weight_gradients() -> str:
    """Who sums gradients of weights in FP32, see `machine.cpu.fp32_weight_gradients`."""
    return _choice(cpu.fp32_weight_gradients)


def _choice(of: Callable[[CpuInfo], str]) -> str:
    info = attempt(cpu.read_cpu)
    if not isinstance(info, CpuInfo) or not torch.backends.mkldnn.is_available():
        return "blas"
    return of(info)


def onednn_multiplies(dtype: torch.dtype) -> bool:
    """Whether products of this type are fastest by oneDNN from weights in its own layout."""
    if dtype == torch.bfloat16:
        return bf16_native()
    return dtype == torch.float32 and fp32_products() == "onednn"


def blas_sums_gradients(dtype: torch.dtype) -> bool:
    """Whether gradients of weights of this type are summed by BLAS, in place."""
    return dtype == torch.float32 and fp32_weight_gradients() == "blas"


def onednn_linear(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    operation: str = "none",
    form: str = "",
) -> Tensor:
    """[T, N]: `hidden` [T, K] times `weight` [N, K] transposed, by oneDNN. `weight` may be packed.

    `operation` is done to the outputs: "none", or "gelu" in `form`, F.gelu's `approximate`.
    """
    product: Tensor = torch.ops.mkldnn._linear_pointwise(hidden, weight, bias, operation, [], form)
    return product


def packed(weight: Tensor) -> Tensor:
    """A copy of `weight` [N, K] in the layout that oneDNN multiplies best."""
    reordered: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, TYPICAL_ROWS)
    return reordered


def bf16_linear(hidden: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """bfloat16[..., N]: `hidden` [..., K] times `weight` [N, K] transposed, plus `bias` [N].

    All three are rounded to BF16 first. Differentiable: a gradient is rounded to BF16, as the
    hardware's is, and has the type of what it belongs to.
    """
    hidden, weight = hidden.to(torch.bfloat16), weight.to(torch.bfloat16)
    bias = None if bias is None else bias.to(torch.bfloat16)
    if bf16_native():
        return F.linear(hidden, weight, bias)
    product: Tensor = EmulatedLinear.apply(hidden, weight, bias)  # type: ignore[no-untyped-call]
    return product


def bf16_matmul(left: Tensor, right: Tensor) -> Tensor:
    """bfloat16[..., M, N]: `left` [..., M, K] @ `right` [..., K, N], both rounded to BF16 first.

    Differentiable, as `bf16_linear` is.
    """
    left, right = left.to(torch.bfloat16), right.to(torch.bfloat16)
    if bf16_native():
        return left @ right
    return (left.float() @ right.float()).to(torch.bfloat16)


class EmulatedLinear(torch.autograd.Function):
    """F.linear in BF16 by FP32 products. It keeps the BF16 operands for its gradients; composed of
    casts and F.linear it would keep FP32 copies of them, for query, key and value one each."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(hidden, weight)
        bias = None if bias is None else bias.float()
        return F.linear(hidden.float(), weight.float(), bias).to(torch.bfloat16)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight = ctx.saved_tensors
        of_hidden = of_weight = of_bias = None
        rows = gradient.flatten(0, -2).float()
        if ctx.needs_input_grad[0]:
            of_hidden = (rows @ weight.float()).to(torch.bfloat16).view(hidden.shape)
        if ctx.needs_input_grad[1]:
            of_weight = (rows.T @ hidden.flatten(0, -2).float()).to(torch.bfloat16)
        if ctx.needs_input_grad[2]:
            of_bias = rows.sum(0).to(torch.bfloat16)
        return of_hidden, of_weight, of_bias
