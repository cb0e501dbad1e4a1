"""Engines: ways to run one fine-tuned model, behind one small protocol.

Every folder beside this file that holds an `about.py` is an engine, under the folder's name:
`about.py` is an `About`, `engine.py` has `load`, and `int8.py`, where it has int8, is a
`quantizing.Quantizer`. `about.py` is imported with this module, the others where they are used.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from bertsquad.console.errors import UserError
from bertsquad.machine.cpu import cpu_flags, has_native

if TYPE_CHECKING:
    import numpy as np

    from bertsquad.data.batching import PackedBatch

# The engine whose FP32 the others are compared with; it is named first.
REFERENCE = "torch"

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

    def lanes(self, count: int) -> list[Callable[[PackedBatch], tuple[np.ndarray, np.ndarray]]]:
        """So many calls like `run`, each for a thread of its own while the others run. `load` was
        given as many `streams`."""
        ...

    def close(self) -> None:
        """End what the engine has started: threads, queues. It runs nothing afterwards."""
        ...


class About(Protocol):
    """What bertsquad.engines.<engine>.about holds. It imports nothing: it is read while Snakemake
    plans and where a command prints its help."""

    DESCRIPTION: str  # one line, for the configuration
    PRECISIONS: tuple[str, ...]  # of "fp32", "bf16", "int8"
    # Precisions that it would silently compute in FP32 where the processor has no instructions for
    # them. The others are emulated there.
    REFUSED_UNLESS_NATIVE: tuple[str, ...]
    PACKAGES: tuple[str, ...]  # as pip names them; their versions are recorded
    INT8_FILES: tuple[str, ...]  # of its INT8 model
    INT8_CALIBRATED: bool  # whether features are looked at to make it


def about(engine: str) -> About:
    """What is known of an engine without importing its library; UserError for an unknown one."""
    if engine not in PRECISIONS:
        raise UserError(f"engine is {engine!r}; expected one of: {', '.join(PRECISIONS)}")
    return _about(engine)


def packages() -> tuple[str, ...]:
    """The packages of all engines, each once."""
    return tuple(dict.fromkeys(name for engine in PRECISIONS for name in _about(engine).PACKAGES))


def _names() -> list[str]:
    """The engines by their folders, in alphabetical order behind the reference."""
    found = [path.parent.name for path in Path(__file__).parent.glob("*/about.py")]
    return sorted(found, key=lambda name: (name != REFERENCE, name))


def _about(engine: str) -> About:
    module: About = importlib.import_module(f"bertsquad.engines.{engine}.about")
    return module


# What each engine can run.
PRECISIONS: dict[str, tuple[str, ...]] = {name: _about(name).PRECISIONS for name in _names()}


def load(
    engine: str,
    model_dir: str | Path,
    *,
    precision: str,
    threads: int,
    goal: Goal = "latency",
    streams: int | None = None,
    quantized_dir: str | Path | None = None,
) -> Engine:
    """Load a model folder into an engine that computes with `threads` threads. With `streams` that
    is a request's: so many requests are to be under way at once, by its `lanes`.

    "int8" takes its weights and scales from `quantized_dir`, which scripts/quantize.py makes; the
    engine's own `load` is given it for "int8" alone, with all files there.
    Raises UserError for an engine or precision that does not exist and for a missing file,
    EmulatedPrecision for a precision that this processor would run as something else, and what
    loading the folder raises.
    """
    check_able(engine, precision)
    module = library(engine, precision)
    given: dict[str, Any] = {"precision": precision, "threads": threads, "goal": goal}
    if streams is not None:
        given["streams"] = streams
    if precision == "int8":
        given["quantized_dir"] = _check_quantized(engine, model_dir, quantized_dir)
    loaded: Engine = module.load(model_dir, **given)
    return loaded


def library(engine: str, precision: str) -> Any:
    """The engine's module, imported (which may take seconds) and sure to have this precision."""
    has = about(engine).PRECISIONS
    if precision not in has:
        raise UserError(
            f"precision is {precision!r}; expected one that the engine {engine} has: "
            f"{', '.join(has)}"
        )
    return importlib.import_module(f"bertsquad.engines.{engine}.engine")


def check_able(engine: str, precision: str, flags: Iterable[str] | None = None) -> None:
    """EmulatedPrecision where the engine would compute in FP32 without saying so; UserError for an
    engine that does not exist. `flags`: those of another processor."""
    able = native(precision) if flags is None else has_native(precision, flags)
    if precision in about(engine).REFUSED_UNLESS_NATIVE and not able:
        raise EmulatedPrecision(
            f"{engine} {precision}: this processor has no {precision.upper()} instructions, and "
            f"{engine} would compute in FP32 instead; remove it (in a configuration from "
            f"engines.{engine}) or run on a processor that has them"
        )


def _check_quantized(engine: str, model_dir: str | Path, quantized_dir: str | Path | None) -> Path:
    """The folder of an INT8 model; UserError where one of its files is not there."""
    calibrated = " --features TRAINING_FEATURES" if about(engine).INT8_CALIBRATED else ""
    call = f"bertsquad quantize --engine {engine} --threads 1 --model {model_dir}{calibrated}"
    if quantized_dir is None:
        raise UserError(
            f"int8 needs a quantized model: make one by `{call} --output my-int8`, then name it by "
            "--quantized my-int8"
        )
    for name in about(engine).INT8_FILES:
        path = Path(quantized_dir) / name
        if not path.is_file():
            raise UserError(
                f"{path}: no such file; make the quantized model by `{call} --output "
                f"{quantized_dir}`"
            )
    return Path(quantized_dir)


def native(precision: str) -> bool:
    """Whether this processor multiplies numbers of this precision in hardware.

    FP32 always. BF16 with avx512_bf16, amx_bf16 or ARM's bf16; INT8 with AVX2 (1.0 to 1.7 times as
    fast as FP32, by engine), VNNI, amx_int8 or ARM's dot products; otherwise it is emulated by
    conversion to FP32, and its speed is not that of processors that have it. A processor that
    hides what it is counts as emulating.
    """
    return has_native(precision, cpu_flags())
