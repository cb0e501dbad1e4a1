"""Linear layers: a product with copies of the weights in the form it takes, and its gradients."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertsquad.model.matmul import (
    bf16_linear,
    bf16_matmul,
    blas_sums_gradients,
    onednn_linear,
    onednn_multiplies,
    packed,
)
from bertsquad.model.operations.gradients import add_gradient, add_product


class Projection:
    """Linear layers of one input, computed as one product: [T, all their outputs] from [T, H].

    `gelu`, PyTorch's name of a form of GELU, is applied to the outputs.
    """

    def __init__(self, *layers: nn.Linear, gelu: str | None = None) -> None:
        self.layers = layers
        self.gelu = gelu
        self.kept: dict[Any, Tensor] = {}  # copies of the parameters, by kind and type
        self.kept_of: Any = None  # the parameters that they are copies of

    def __call__(self, hidden: Tensor, keep: bool = False) -> Tensor:
        """`keep`: leave copies of the weights for the products to come, until the weights change.

        Else each lives as long as its product, so that one layer's copies are there at a time.
        """
        product: Tensor = Product.apply(hidden, self, keep, *self.parameters())  # type: ignore[no-untyped-call]
        return product

    def parameters(self) -> list[Tensor]:
        return [parameter for layer in self.layers for parameter in (layer.weight, layer.bias)]

    @torch.no_grad()
    def weight(self, kind: str, dtype: torch.dtype, keep: bool) -> Tensor:
        """The layers' weights as one matrix: "plain", [outputs, H], or in oneDNN's layout, that
        matrix "packed" or its transpose, "transposed".

        Copies that are kept are made anew only when the parameters have changed: once a step,
        however many micro-batches use them.
        """
        made_of = [(p.data_ptr(), p._version) for p in self.parameters()]
        if made_of != self.kept_of:
            self.kept, self.kept_of = {}, made_of
        if (kind, dtype) in self.kept:
            return self.kept[kind, dtype]
        made = together([layer.weight for layer in self.layers], dtype)
        if kind != "plain":
            made = packed(made if kind == "packed" else made.T)
        if keep:
            self.kept[kind, dtype] = made
        return made

    def forward_product(self, hidden: Tensor, keep: bool) -> Tensor:
        dtype = hidden.dtype
        bias = together([layer.bias for layer in self.layers], dtype)
        if packs(dtype, keep):
            return onednn_linear(hidden, self.weight("packed", dtype, keep), bias)
        return linear(hidden, self.weight("plain", dtype, keep), bias)

    def backward_product(self, gradient: Tensor, keep: bool) -> Tensor:
        """The gradient of the input."""
        dtype = gradient.dtype
        if packs(dtype, keep):
            return onednn_linear(gradient, self.weight("transposed", dtype, keep))
        return matmul(gradient, self.weight("plain", dtype, keep))

    def add_gradients(self, gradient: Tensor, hidden: Tensor) -> None:
        """Add what these outputs' gradient [T, outputs] means for the parameters, in FP32.

        One micro-batch's products are summed in FP32, too; those in BF16 are then rounded to it,
        as the hardware gives them.
        """
        sizes = [layer.out_features for layer in self.layers]
        biases = gradient.sum(0).split(sizes)
        for layer, bias in zip(self.layers, biases, strict=True):
            add_gradient(layer.bias, bias)
        if blas_sums_gradients(gradient.dtype):
            for layer, part in zip(self.layers, gradient.split(sizes, 1), strict=True):
                add_product(layer.weight, part.T, hidden)
            return
        weights = weight_gradient(gradient, hidden).split(sizes)
        for layer, weight in zip(self.layers, weights, strict=True):
            add_gradient(layer.weight, weight)


class Product(torch.autograd.Function):
    """GELU where asked for, of hidden @ weight.T + bias."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, projection: Projection, keep: bool, *parameters: Tensor
    ) -> Tensor:
        product = projection.forward_product(hidden, keep)
        ctx.projection, ctx.keep = projection, keep
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
        of_hidden = projection.backward_product(gradient, ctx.keep)
        return of_hidden, None, None, *(None for _ in projection.parameters())


def packs(dtype: torch.dtype, keep: bool) -> bool:
    """Whether a product takes weights in oneDNN's layout.

    In FP32 nothing else reaches the library. PyTorch's BF16 products are oneDNN's with plain
    weights, and packing pays from two micro-batches on: 1.05 to 1.10 times as fast a step on Zen 5,
    0.97 with one.
    """
    return onednn_multiplies(dtype) and (keep or dtype == torch.float32)


def weight_gradient(gradient: Tensor, hidden: Tensor) -> Tensor:
    """gradient' hidden, [outputs, H] from [T, outputs] and [T, H]; in their type."""
    if gradient.dtype == torch.bfloat16:
        return bf16_matmul(gradient.T, hidden)
    return onednn_linear(gradient.T, hidden.T)


def together(parts: list[Tensor], dtype: torch.dtype) -> Tensor:
    """The parts end to end in this type: the only one itself where it has it, else a copy."""
    if len(parts) == 1:
        return parts[0].detach().to(dtype)
    return torch.cat([part.detach().to(dtype) for part in parts])


def linear(hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """In the type of `hidden`."""
    product = bf16_linear if hidden.dtype == torch.bfloat16 else F.linear
    return product(hidden, weight, bias)


def matmul(left: Tensor, right: Tensor) -> Tensor:
    """In the type of `left`."""
    return bf16_matmul(left, right) if left.dtype == torch.bfloat16 else left @ right
