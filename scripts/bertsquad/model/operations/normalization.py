"""How both halves of a layer end: dropout, residual sum and LayerNorm as one function."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bertsquad.model.operations.dropout import scale
from bertsquad.model.operations.gradients import add_gradient


def add_norm(
    hidden: Tensor, residual: Tensor, norm: nn.LayerNorm, mask: Tensor | None, rate: float
) -> Tensor:
    """norm(dropout(hidden) + residual), float32[T, H]; `mask` as Masks.draw gives it."""
    normed: Tensor = AddNorm.apply(  # type: ignore[no-untyped-call]
        hidden, residual, norm, mask, rate, norm.weight, norm.bias
    )
    return normed


class AddNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        residual: Tensor,
        norm: nn.LayerNorm,
        mask: Tensor | None,
        rate: float,
        *parameters: Tensor,
    ) -> Tensor:
        if mask is None:
            total = residual + hidden
        else:
            total = torch.add(residual, hidden * mask, alpha=scale(rate))
        output, mean, deviation = torch.native_layer_norm(
            total, norm.normalized_shape, norm.weight, norm.bias, norm.eps
        )
        ctx.norm, ctx.rate, ctx.dtype = norm, rate, hidden.dtype
        ctx.save_for_backward(total, mean, deviation, mask)
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        norm = ctx.norm
        total, mean, deviation, mask = ctx.saved_tensors
        of_total, of_weight, of_bias = torch.ops.aten.native_layer_norm_backward(
            gradient,
            total,
            norm.normalized_shape,
            mean,
            deviation,
            norm.weight,
            norm.bias,
            [True, True, True],
        )
        for parameter, part in ((norm.weight, of_weight), (norm.bias, of_bias)):
            add_gradient(parameter, part)
        of_hidden = of_total
        if mask is not None:
            of_hidden = (of_total * mask).mul_(scale(ctx.rate))
        return of_hidden.to(ctx.dtype), of_total, None, None, None, None, None
