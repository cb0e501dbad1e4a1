"""Engines: ways to run one fine-tuned model, behind one small protocol."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from bertsquad.errors import UserError
from bertsquad.machine.cpu import cpu_flags, has_native

if TYPE_CHECKING:
    import numpy as np

    from bertsquad.batching import PackedBatch

# What each engine can run; scripts/bertsquad/engines/<engine>_engine.py runs it.
PRECISIONS = {
    "torch": ("fp32", "bf16"),
    "openvino": ("fp32", "bf16", "int8"),
    "onnxruntime": ("fp32", "int8"),
}

# latency: one request at a time, all threads work on it.
# throughput: many requests at hand, as many under way at once as the engine likes.
Goal = Literal["latency", "throughput"]


class EmulatedPrecision(UserError):
    """An engine's refusal to run in a precision that this processor lacks, as another one."""


class Answered(NamedTuple):
    """A batch and its start and end logits, float32[T] each."""

    batch: PackedBatch
    start_logits: np.ndarray
    end_logits: np.ndarray


class Engine(Protocol):
    """A loaded model that turns batches into logits, as NumPy arrays in and out."""

    name: str
    precision: str
    threads: int
    # What computes where there is a choice on one machine: "compiled" or a form of PyTorch's
    # operations. The library's name where it alone chooses.
    kernels: str

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

    def plan(self, lengths: np.ndarray) -> list[np.ndarray]:
        """All feature numbers, int64, cut into the batches that `stream` runs fastest, the longest
        features first. `lengths` int[features]."""
        ...

    def stream(self, batches: Iterable[PackedBatch]) -> Iterator[Answered]:
        """Logits of many batches without padding, each as soon as it is ready, in any order.

        Several may be under way at once; `batches` is read in the caller's thread, no further
        ahead than the engine can use. What goes wrong in a batch is raised here.
        """
        ...

    def close(self) -> None:
        """End what the engine has started: threads, queues. It runs nothing afterwards."""
        ...


def load(
    engine: str,
    model_dir: str | Path,
    *,
    precision: str,
    threads: int,
    goal: Goal = "latency",
    quantized_dir: str | Path | None = None,
) -> Engine:
    """Load a model folder into an engine that computes with `threads` threads.

    "int8" takes its weights and scales from `quantized_dir`, which scripts/quantize.py makes.
    Raises UserError for an engine or precision that does not exist, EmulatedPrecision for one that
    this processor would run as something else, and what loading the folder raises.
    """
    check_able(engine, precision)
    return library(engine, precision).load(
        model_dir,
        precision=precision,
        threads=threads,
        goal=goal,
        **({"quantized_dir": quantized_dir} if precision == "int8" else {}),
    )


def library(engine: str, precision: str) -> Any:
    """The engine's module, imported (which may take seconds) and sure to have this precision."""
    if engine not in PRECISIONS:
        raise UserError(f"engine is {engine!r}; expected one of: {', '.join(PRECISIONS)}")
    if precision not in PRECISIONS[engine]:
        raise UserError(
            f"precision is {precision!r}; expected one that the engine {engine} has: "
            f"{', '.join(PRECISIONS[engine])}"
        )
    return importlib.import_module(f"bertsquad.engines.{engine}_engine")


def check_able(engine: str, precision: str) -> None:
    """EmulatedPrecision where this processor would compute in another precision and nobody would
    say so: OpenVINO's bf16 is FP32 without BF16 instructions."""
    if (engine, precision) == ("openvino", "bf16") and not native("bf16"):
        raise EmulatedPrecision(
            "openvino bf16: this processor has no BF16 instructions, and OpenVINO would compute in "
            "FP32 instead; remove it (in a configuration from engines.openvino) or run on a "
            "processor that has them"
        )


def native(precision: str) -> bool:
    """Whether this processor multiplies numbers of this precision in hardware.

    FP32 always. BF16 with avx512_bf16, amx_bf16 or ARM's bf16; INT8 with AVX2 (1.0 to 1.7 times as
    fast as FP32, by engine), VNNI, amx_int8 or ARM's dot products; otherwise it is emulated by
    conversion to FP32, and its speed says nothing of processors that have it. A processor that
    hides what it is counts as emulating.
    """
    return has_native(precision, cpu_flags())
