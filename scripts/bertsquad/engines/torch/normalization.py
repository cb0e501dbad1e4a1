"""The residual sum and LayerNorm at inference, in the form that this machine computes fastest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from bertsquad.engines.torch.linears import Linear
from bertsquad.kernels import normalization as compiled


@dataclass(frozen=True, slots=True)
class Norm:
    """LayerNorm over the last dimension, in float32."""

    weight: Tensor  # float32[H]
    bias: Tensor  # float32[H]
    eps: float

    def __call__(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


class AddNorm(Protocol):
    """LayerNorm(residual + the layer's output)."""

    name: str  # for the record of what computed a result

    def __call__(
        self, residual: Tensor, blocks: Iterable[Tensor], linear: Linear, norm: Norm
    ) -> tuple[Tensor, Tensor]:
        """float32[T, H], and the same in the form that the next product takes with least work.

        `blocks` are the layer's input rows, [*, K] each, end to end. Overwrites `residual`,
        float32[T, H].
        """
        ...


def form_of(dtype: torch.dtype) -> AddNorm:
    """The fastest for products of this type."""
    kernel = compiled.find(dtype)
    return InSteps() if kernel is None else AtOnce(kernel)


class InSteps:
    """PyTorch's operations, one after the other."""

    name = "torch"

    def __call__(
        self, residual: Tensor, blocks: Iterable[Tensor], linear: Linear, norm: Norm
    ) -> tuple[Tensor, Tensor]:
        start = 0
        for rows in blocks:
            linear.add_to(residual[start : start + len(rows)], rows)
            start += len(rows)
        normal = norm(residual)
        return normal, normal


class AtOnce:
    """A compiled kernel: reads the layer's output once, and rounds for the next product."""

    name = "compiled"

    def __init__(self, kernel: compiled.AddNorm) -> None:
        self.kernel = kernel

    def __call__(
        self, residual: Tensor, blocks: Iterable[Tensor], linear: Linear, norm: Norm
    ) -> tuple[Tensor, Tensor]:
        start, rounded = 0, []
        for rows in blocks:
            part = residual[start : start + len(rows)]
            copy = self.kernel(part, linear(rows), norm.weight, norm.bias, norm.eps)
            start += len(rows)
            if copy is not None:
                rounded.append(copy)
        if not rounded:
            return residual, residual
        return residual, rounded[0] if len(rounded) == 1 else torch.cat(rounded)
