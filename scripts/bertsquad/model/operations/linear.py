"""Linear layers: a product with weights that are made ready once a step, and its gradients."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bertsquad.model.matmul import bf16_linear, bf16_matmul
from bertsquad.model.operations.gradients import gradient_of


class Operands(NamedTuple):
    """What a product takes beside its input, in one type."""

    weight: Tensor  # [outputs, H]
    bias: Tensor  # [outputs]
    # The weight and its transpose in oneDNN's own layout, where that is used.
    packed: tuple[Tensor, Tensor] | None = None


class Projection:
    """Linear layers of one input, computed as one product: [T, all their outputs] from [T, H].

    `gelu`, PyTorch's name of a form of GELU, is applied to the outputs.
    """

    def __init__(self, *layers: nn.Linear, gelu: str | None = None) -> None:
        self.layers = layers
        self.gelu = gelu
        self.made_of: Any = None
        self.made: Operands | None = None

    def __call__(self, hidden: Tensor) -> Tensor:
        product: Tensor = Product.apply(hidden, self, *self.parameters())  # type: ignore[no-untyped-call]
        return product

    def parameters(self) -> list[Tensor]:
        return [parameter for layer in self.layers for parameter in (layer.weight, layer.bias)]

    @torch.no_grad()
    def operands(self, dtype: torch.dtype) -> Operands:
        """The layers' weights and biases in this type.

        Copies, where there must be any, are made anew only when the parameters have changed: once
        a step, however many micro-batches use them.
        """
        made_of = (dtype, *((p.data_ptr(), p._version) for p in self.parameters()))
        if self.made is None or made_of != self.made_of:
            weight = self.together([layer.weight for layer in self.layers], dtype, 0)
            bias = self.together([layer.bias for layer in self.layers], dtype, 1)
            packed = None
            if dtype == torch.float32 and onednn_is_faster():
                pack = torch.ops.mkldnn._reorder_linear_weight
                packed = (pack(weight), pack(weight.T.contiguous()))
            self.made = Operands(weight, bias, packed)
            self.made_of = made_of
        return self.made

    def together(self, parts: list[Tensor], dtype: torch.dtype, place: int) -> Tensor:
        """The parts end to end: the only one itself, or a copy in the memory of the last one."""
        if len(parts) == 1 and parts[0].dtype == dtype:
            return parts[0].detach()
        known = None if self.made is None else (self.made.weight, self.made.bias)[place]
        if known is not None and known.dtype == dtype:
            copy = known
        else:
            copy = torch.empty(sum(map(len, parts)), *parts[0].shape[1:], dtype=dtype)
        for part, rows in zip(parts, self.split(copy), strict=True):
            rows.copy_(part)
        return copy

    def release(self) -> None:
        """Free the copies of the parameters, until they are needed again."""
        self.made = self.made_of = None

    def split(self, outputs: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
        """Each layer's part of all outputs."""
        parts: tuple[Tensor, ...] = outputs.split(
            [layer.out_features for layer in self.layers], dim
        )
        return parts

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
        product = forward_product(hidden, projection.operands(hidden.dtype))
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
        of_hidden = backward_product(gradient, projection.operands(hidden.dtype))
        return of_hidden, None, *(None for _ in projection.parameters())


def forward_product(hidden: Tensor, operands: Operands) -> Tensor:
    if operands.packed is None:
        return linear(hidden, operands.weight, operands.bias)
    return onednn_linear(hidden, operands.packed[0], operands.bias)


def backward_product(gradient: Tensor, operands: Operands) -> Tensor:
    """The gradient of the input."""
    if operands.packed is None:
        return matmul(gradient, operands.weight)
    return onednn_linear(gradient, operands.packed[1], None)


def onednn_linear(hidden: Tensor, packed: Tensor, bias: Tensor | None) -> Tensor:
    product: Tensor = torch.ops.mkldnn._linear_pointwise(hidden, packed, bias, "none", [], "")
    return product


@cache
def onednn_is_faster() -> bool:
    """Whether FP32 products by oneDNN, with weights in its layout, are faster than those by MKL.

    With AVX-512, 223 against 185 to 197 GFLOP/s on two cores of Zen 4; with AVX2, 63 to 77 against
    77 to 87 on one of Zen 3. Gradients of weights are MKL's everywhere: it adds to a sum for free.
    """
    return torch.backends.cpu.get_cpu_capability() == "AVX512"


def linear(hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """In the type of `hidden`."""
    product = bf16_linear if hidden.dtype == torch.bfloat16 else F.linear
    return product(hidden, weight, bias)


def matmul(left: Tensor, right: Tensor) -> Tensor:
    """In the type of `left`."""
    return bf16_matmul(left, right) if left.dtype == torch.bfloat16 else left @ right
