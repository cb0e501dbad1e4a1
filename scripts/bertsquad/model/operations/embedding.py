"""Rows of a table whose gradient is added to the rows that were taken.

PyTorch's would be a table as large as the vocabulary, zeroed and added for every micro-batch.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bertsquad.model.operations.gradients import gradient_of


def embedding(table: Tensor, ids: Tensor) -> Tensor:
    """[T, H]: the rows `ids`, int64[T], of a table [vocabulary, H]."""
    rows: Tensor = _Embedding.apply(table, ids)  # type: ignore[no-untyped-call]
    return rows


class _Embedding(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, ids: Tensor) -> Tensor:
        ctx.table = table
        ctx.save_for_backward(ids)
        return F.embedding(ids, table)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None]:
        gradient_of(ctx.table).index_add_(0, ctx.saved_tensors[0], gradient)
        return None, None
