"""Self-attention over packed sequences with dropout, as training computes it.

By the compiled kernels where this machine has them, else written out as products. PyTorch's fused
kernel has no dropout on the CPU. Its backward pass takes 1.3 times as long as the products written
out in FP32 and up to 3.5 times in BF16, its forward pass as long (180 and 384 tokens, heads of 32
and 64).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bertsquad.kernels import attention as compiled
from bertsquad.kernels.attention import TrainedAttention
from bertsquad.model.matmul import bf16_native
from bertsquad.model.operations.dropout import Masks, scale
from bertsquad.model.operations.linear import matmul


def attention(
    projected: Tensor, runs: list[tuple[int, int]], heads: int, rate: float, masks: Masks
) -> Tensor:
    """softmax(q k' / sqrt(d)) v for every sequence and head: [T, H] from [T, 3 H].

    `projected` holds query, key and value side by side. `runs` are (sequences, tokens of each), end
    to end. Each probability is dropped at this rate: the same ones whatever computes. The softmax
    is in FP32; the products take and give the type of `projected`.
    """
    drawn = [masks.draw((count * heads, length, length), rate) for count, length in runs]
    arguments = (projected, runs, heads, rate, drawn)
    kernel = find_kernel(projected.dtype, projected.shape[1] // heads // 3)
    attended: Tensor
    if kernel is None:
        attended = Attention.apply(*arguments)  # type: ignore[no-untyped-call]
    else:
        attended = CompiledAttention.apply(*arguments, kernel)  # type: ignore[no-untyped-call]
    return attended


def find_kernel(dtype: torch.dtype, head_size: int) -> TrainedAttention | None:
    """The compiled kernels, or None where the products are written out; as for inference, BF16 is
    emulated on a processor without it."""
    if dtype == torch.bfloat16 and not bf16_native():
        return None
    return compiled.find_trained(dtype, head_size)


def form_of(dtype: torch.dtype, head_size: int) -> str:
    """What computes attention here, under the names that inference records: "compiled", "products"
    or, in BF16 on a processor without it, "emulated"."""
    if find_kernel(dtype, head_size) is not None:
        return "compiled"
    return "emulated" if dtype == torch.bfloat16 and not bf16_native() else "products"


class CompiledAttention(torch.autograd.Function):
    """Keeps two numbers for each row of probabilities, and a byte for each where they are dropped.

    The masks are saved as tensors, so that activation checkpointing frees them and draws them
    again; their addresses are therefore taken anew in the backward pass.
    """

    @staticmethod
    def forward(
        ctx: Any,
        projected: Tensor,
        runs: list[tuple[int, int]],
        heads: int,
        rate: float,
        masks: list[Tensor | None],
        kernel: TrainedAttention,
    ) -> Tensor:
        projected = projected.contiguous()
        starts = compiled.starts_of_runs(runs)
        dropout = compiled.dropout_of(runs, heads, masks, scale(rate))
        attended, softmax = kernel.forward(projected, starts, heads, dropout)
        ctx.runs, ctx.heads, ctx.rate, ctx.kernel = runs, heads, rate, kernel
        ctx.save_for_backward(projected, softmax, starts, *masks)
        return attended

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        projected, softmax, starts, *masks = ctx.saved_tensors
        dropout = compiled.dropout_of(ctx.runs, ctx.heads, masks, scale(ctx.rate))
        of_projected = ctx.kernel.backward(
            gradient.contiguous(), projected, softmax, starts, ctx.heads, dropout
        )
        return of_projected, None, None, None, None, None


class Attention(torch.autograd.Function):
    """Keeps the probabilities, and a byte for each where they are dropped."""

    @staticmethod
    def forward(
        ctx: Any,
        projected: Tensor,
        runs: list[tuple[int, int]],
        heads: int,
        rate: float,
        masks: list[Tensor | None],
    ) -> Tensor:
        attended = projected.new_empty(len(projected), projected.shape[1] // 3)
        probabilities = []
        for (count, length), mask, rows, out in zip(
            runs, masks, by_run(projected, runs), by_run(attended, runs), strict=True
        ):
            query, key, value = by_head(rows, count, length, 3, heads)
            kept = matmul(query * query.shape[-1] ** -0.5, key.mT).softmax(-1)
            probabilities.append(kept)
            if mask is not None:
                kept = kept * mask
            put(matmul(kept, value), out, count, length, heads)
        if masks[0] is not None:
            attended *= scale(rate)
        ctx.runs, ctx.heads, ctx.rate = runs, heads, rate
        ctx.save_for_backward(projected, *probabilities, *masks)
        return attended

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        runs, heads = ctx.runs, ctx.heads
        projected, *kept = ctx.saved_tensors
        probabilities, masks = kept[: len(runs)], kept[len(runs) :]
        if masks[0] is not None:
            gradient = gradient * scale(ctx.rate)
        of_projected = torch.empty_like(projected)
        for (count, length), softmax, mask, rows, out, of_attended in zip(
            runs,
            probabilities,
            masks,
            by_run(projected, runs),
            by_run(of_projected, runs),
            by_run(gradient, runs),
            strict=True,
        ):
            query, key, value = by_head(rows, count, length, 3, heads)
            (of_attended,) = by_head(of_attended, count, length, 1, heads)
            root = query.shape[-1] ** -0.5
            of_probabilities = matmul(of_attended, value.mT)
            dropped = softmax
            if mask is not None:
                dropped = softmax * mask
                of_probabilities *= mask
            of_scores = torch._softmax_backward_data(of_probabilities, softmax, -1, softmax.dtype)
            of_query, of_key, of_value = out.chunk(3, 1)
            put(matmul(of_scores, key) * root, of_query, count, length, heads)
            put(matmul(of_scores.mT, query * root), of_key, count, length, heads)
            put(matmul(dropped.mT, of_attended), of_value, count, length, heads)
        return of_projected, None, None, None, None


def by_run(tokens: Tensor, runs: list[tuple[int, int]]) -> tuple[Tensor, ...]:
    parts: tuple[Tensor, ...] = tokens.split([count * length for count, length in runs])
    return parts


def by_head(rows: Tensor, count: int, length: int, parts: int, heads: int) -> tuple[Tensor, ...]:
    """`parts` times [count * heads, length, d] from [count * length, parts * heads * d]; of one
    sequence without a copy."""
    split = rows.view(count, length, parts, heads, -1).permute(2, 0, 3, 1, 4)
    return tuple(part.reshape(count * heads, length, -1) for part in split)


def put(headed: Tensor, rows: Tensor, count: int, length: int, heads: int) -> None:
    """The way back, into `rows`, [count * length, heads * d] with any distance between rows."""
    rows.view(count, length, heads, -1).copy_(headed.view(count, heads, length, -1).transpose(1, 2))
