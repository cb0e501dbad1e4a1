"""Engines: ways to run one fine-tuned model, behind one small protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bertsquad.errors import UserError
from bertsquad.machine.cpu import has_native_bf16, read_cpu

if TYPE_CHECKING:
    import numpy as np

    from bertsquad.batching import PackedBatch

# What each engine can run.
PRECISIONS = {"torch": ("fp32", "bf16")}


class Engine(Protocol):
    """A loaded model that turns batches into logits, as NumPy arrays in and out."""

    name: str
    precision: str
    threads: int

    def run(self, batch: PackedBatch) -> tuple[np.ndarray, np.ndarray]:
        """Start and end logits, float32[T] each, of a batch without padding."""
        ...

    def run_padded(
        self, input_ids: np.ndarray, input_mask: np.ndarray, segment_ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Start and end logits, float32[B, S] each, from int64[B, S] each.

        Where `input_mask` is 0 they mean nothing.
        """
        ...


def load(engine: str, model_dir: str | Path, *, precision: str, threads: int) -> Engine:
    """Load a model folder into an engine that computes with `threads` threads.

    Raises UserError for an engine or precision that does not exist, and what loading the folder
    raises.
    """
    return library(engine, precision).load(model_dir, precision=precision, threads=threads)


def library(engine: str, precision: str) -> Any:
    """The engine's module, imported (which may take seconds) and sure to have this precision."""
    if engine not in PRECISIONS:
        raise UserError(f"engine is {engine!r}; expected one of: {', '.join(PRECISIONS)}")
    if precision not in PRECISIONS[engine]:
        raise UserError(
            f"precision is {precision!r}; expected one that the engine {engine} has: "
            f"{', '.join(PRECISIONS[engine])}"
        )
    from bertsquad.engines import torch_engine

    return torch_engine


def native(precision: str) -> bool:
    """Whether this processor multiplies numbers of this precision in hardware.

    FP32 always. BF16 with avx512_bf16, amx_bf16 or ARM's bf16; otherwise it is emulated: right but
    slower than FP32. A processor that hides what it is counts as emulating.
    """
    if precision != "bf16":
        return True
    try:
        return has_native_bf16(read_cpu().flags)
    except (OSError, ValueError):
        return False
