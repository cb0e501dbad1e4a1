"""The linear layers of an encoder at rest: weights in the form that this processor multiplies best.

Three forms with the same methods. Which one is chosen follows from the processor alone, so that the
same machine always gives the same logits.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from bertsquad.model.matmul import onednn_linear, onednn_multiplies, packed


class Linear(Protocol):
    """x W' + b for rows `x` [T, K], of any float type; W [N, K], b float32[N]."""

    transposed: bool  # whether W is best given as a view of [K, N], which is then kept as it lies

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """The caller should keep no reference to `weight`: packing copies it."""
        ...

    def __call__(self, x: Tensor) -> Tensor:
        """[T, N], float32, or bfloat16 where the products are."""
        ...

    def gelu(self, x: Tensor, form: str) -> Tensor:
        """GELU of it; `form` is F.gelu's `approximate`."""
        ...

    def add_to(self, residual: Tensor, x: Tensor) -> None:
        """Add it to `residual`, float32[T, N], in place and in float32."""
        ...


def form_of(dtype: torch.dtype) -> type[Linear]:
    """The one for weights that are float32 or, for BF16 products, bfloat16."""
    if onednn_multiplies(dtype):
        return PackedLinear
    return EmulatedLinear if dtype == torch.bfloat16 else PlainLinear


class PackedLinear:
    """oneDNN, its weights in blocks; GELU inside the product."""

    transposed = False

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.dtype = weight.dtype
        self.weight = packed(weight)
        self.bias = bias.to(weight.dtype)

    def __call__(self, x: Tensor) -> Tensor:
        return self.product(x, "none", "")

    def gelu(self, x: Tensor, form: str) -> Tensor:
        return self.product(x, "gelu", form)

    def add_to(self, residual: Tensor, x: Tensor) -> None:
        residual.add_(self(x))

    def product(self, x: Tensor, operation: str, form: str) -> Tensor:
        return onednn_linear(x.to(self.dtype), self.weight, self.bias, operation, form)


class PlainLinear:
    """PyTorch's BLAS. The weights lie as [K, N], 2 to 4 % faster than as [N, K]."""

    transposed = True

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight = weight.T.contiguous()
        self.bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x, self.weight)

    def gelu(self, x: Tensor, form: str) -> Tensor:
        return gelu_(self(x), form)

    def add_to(self, residual: Tensor, x: Tensor) -> None:
        # The product adds to what lies there, so that its sum is no pass of its own.
        residual.add_(self.bias).addmm_(x, self.weight)


class EmulatedLinear:
    """BF16 on a processor without it (`bertsquad.model.matmul`). The weights take BF16's memory."""

    transposed = False

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight = weight
        self.bias = bias.to(torch.bfloat16)

    def __call__(self, x: Tensor) -> Tensor:
        return self.product(x).to(torch.bfloat16)

    def gelu(self, x: Tensor, form: str) -> Tensor:
        return gelu_(self.product(x), form).to(torch.bfloat16)

    def add_to(self, residual: Tensor, x: Tensor) -> None:
        residual.add_(self(x))

    def product(self, x: Tensor) -> Tensor:
        x = x.to(torch.bfloat16).float()
        return F.linear(x, self.weight.float(), self.bias.float())


def gelu_(x: Tensor, form: str) -> Tensor:
    """F.gelu in place, for float32."""
    if form == "none":
        exact: Tensor = torch.ops.aten.gelu_(x)
        return exact
    # (1 + tanh(z / 2)) / 2 is sigmoid(z), which takes less than half as long.
    factor = 2 * math.sqrt(2 / math.pi)
    return x.mul_((x * x).mul_(factor * 0.044715).add_(factor).mul_(x).sigmoid_())
