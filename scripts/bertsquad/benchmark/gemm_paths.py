"""The ways of PyTorch's libraries to multiply a [rows, inputs] matrix by a linear layer's weights.

Each path is made once (weights packed, inputs allocated) and gives a function that multiplies once.
A path that this build or this processor does not have raises RuntimeError while it is made or run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F

Multiply = Callable[[], object]


class Shape(NamedTuple):
    """A product: [rows, inputs] by [inputs, outputs]."""

    rows: int
    inputs: int
    outputs: int

    @property
    def flops(self) -> int:
        """A multiplication and an addition count as two, of whole numbers, too."""
        return 2 * self.rows * self.inputs * self.outputs


def _linear(shape: Shape, dtype: torch.dtype) -> Multiply:
    """F.linear: MKL in FP32, oneDNN in BF16, the weights as they are stored."""
    inputs, weight, bias = _operands(shape, dtype)
    return lambda: F.linear(inputs, weight, bias)


def _prepacked(shape: Shape, dtype: torch.dtype) -> Multiply:
    """oneDNN with weights laid out for the kernel beforehand."""
    inputs, weight, bias = _operands(shape, dtype)
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, shape.rows)
    run = torch.ops.mkldnn._linear_pointwise
    return lambda: run(inputs, packed, bias, "none", [], "")


def _quantized(shape: Shape, output: torch.dtype) -> Multiply:
    """oneDNN's u8 x s8 product, scaled to `output`. Not s8 x s8, which falls to a reference kernel
    here: activations are u8 with the zero point 128."""
    inputs = torch.randint(0, 256, (shape.rows, shape.inputs), dtype=torch.uint8)
    weight = torch.randint(-127, 128, (shape.outputs, shape.inputs), dtype=torch.int8)
    scales = torch.full((shape.outputs,), 0.01)
    zero_points = torch.zeros(shape.outputs, dtype=torch.int8)
    packed = torch.ops.onednn.qlinear_prepack(weight, [shape.rows, shape.inputs])
    bias = torch.zeros(shape.outputs)
    run = torch.ops.onednn.qlinear_pointwise
    return lambda: run(
        *(inputs, 0.02, 128, packed, scales, zero_points, bias),
        *(1.0, 0, output, "none", [], ""),
    )


def _integers(shape: Shape) -> Multiply:
    """torch._int_mm: s8 x s8 to s32, nothing scaled."""
    inputs = torch.randint(-127, 128, (shape.rows, shape.inputs), dtype=torch.int8)
    weight = torch.randint(-127, 128, (shape.outputs, shape.inputs), dtype=torch.int8)
    return lambda: torch._int_mm(inputs, weight.t())


def _operands(shape: Shape, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    inputs = torch.randn(shape.rows, shape.inputs, dtype=dtype)
    weight = torch.randn(shape.outputs, shape.inputs, dtype=dtype)
    return inputs, weight, torch.randn(shape.outputs, dtype=dtype)


PATHS: dict[str, dict[str, Callable[[Shape], Multiply]]] = {
    "fp32": {
        "F.linear": lambda shape: _linear(shape, torch.float32),
        "oneDNN prepacked": lambda shape: _prepacked(shape, torch.float32),
    },
    "bf16": {
        "F.linear": lambda shape: _linear(shape, torch.bfloat16),
        "oneDNN prepacked": lambda shape: _prepacked(shape, torch.bfloat16),
    },
    "int8": {
        "oneDNN u8s8 to fp32": lambda shape: _quantized(shape, torch.float32),
        "oneDNN u8s8 to bf16": lambda shape: _quantized(shape, torch.bfloat16),
        "oneDNN u8s8 to u8": lambda shape: _quantized(shape, torch.uint8),
        "_int_mm s8s8": _integers,
    },
}
