"""Linear layers: a product with weights that are made ready once a step, and its gradients."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertsquad.matmul import bf16_linear, bf16_matmul
from bertsquad.operations.gradients import gradient_of


class Projection:
    """Linear layers of one input, computed as one product: [T, all their outputs] from [T, H].

    `gelu`, PyTorch's name of a form of GELU, is applied to the outputs.
    """

    def __init__(self, *layers: nn.Linear, gelu: str | None = None) -> None:
        self.layers = layers
        self.gelu = gelu
        self.made_of: Any = None
        self.copy: tuple[Tensor, Tensor] | None = None

    def __call__(self, hidden: Tensor) -> Tensor:
        return Product.apply(hidden, self, *self.parameters())

    def parameters(self) -> list[nn.Parameter]:
        return [parameter for layer in self.layers for parameter in (layer.weight, layer.bias)]

    @torch.no_grad()
    def operands(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Weight [outputs, H] and bias [outputs] in this type.

        A copy, where one is needed, is made anew only when the parameters have changed: once a
        step, however many micro-batches use it.
        """
        if len(self.layers) == 1 and self.layers[0].weight.dtype == dtype:
            return self.layers[0].weight, self.layers[0].bias
        made_of = (dtype, *((p.data_ptr(), p._version) for p in self.parameters()))
        if self.copy is None or self.copy[0].dtype != dtype:
            outputs = sum(layer.out_features for layer in self.layers)
            self.copy = (
                torch.empty(outputs, self.layers[0].in_features, dtype=dtype),
                torch.empty(outputs, dtype=dtype),
            )
        if made_of != self.made_of:
            for layer, weight, bias in zip(self.layers, *map(self.split, self.copy), strict=True):
                weight.copy_(layer.weight)
                bias.copy_(layer.bias)
            self.made_of = made_of
        return self.copy

    def split(self, outputs: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
        """Each layer's part of all outputs."""
        return outputs.split([layer.out_features for layer in self.layers], dim)

    def add_gradients(self, gradient: Tensor, hidden: Tensor) -> None:
        """Add what these outputs' gradient [T, outputs] means for the weights, in FP32.

        One micro-batch's products are summed in FP32, too; those in BF16 are then rounded to it,
        as the hardware gives them.
        """
        biases = self.split(gradient.sum(0))
        if gradient.dtype == torch.bfloat16:
            for layer, part in zip(
                self.layers, self.split(bf16_matmul(gradient.T, hidden)), strict=True
            ):
                gradient_of(layer.weight).add_(part)
        else:
            for layer, part in zip(self.layers, self.split(gradient, 1), strict=True):
                gradient_of(layer.weight).addmm_(part.T, hidden)
        for layer, bias in zip(self.layers, biases, strict=True):
            gradient_of(layer.bias).add_(bias)


class Product(torch.autograd.Function):
    """GELU where asked for, of hidden @ weight.T + bias."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, projection: Projection, *parameters: Tensor) -> Tensor:
        product = linear(hidden, *projection.operands(hidden.dtype))
        ctx.projection = projection
        if projection.gelu is None:
            ctx.save_for_backward(hidden)
            return product
        ctx.save_for_backward(hidden, product)
        return F.gelu(product, approximate=projection.gelu)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        projection = ctx.projection
        hidden, *product = ctx.saved_tensors
        if product:
            gradient = torch.ops.aten.gelu_backward(
                gradient, product[0], approximate=projection.gelu
            )
        projection.add_gradients(gradient, hidden)
        weight, _ = projection.operands(hidden.dtype)
        return matmul(gradient, weight), None, *(None for _ in projection.parameters())


def linear(hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """In the type of `hidden`."""
    product = bf16_linear if hidden.dtype == torch.bfloat16 else F.linear
    return product(hidden, weight, bias)


def matmul(left: Tensor, right: Tensor) -> Tensor:
    """In the type of `left`."""
    return bf16_matmul(left, right) if left.dtype == torch.bfloat16 else left @ right
