"""A short matrix product right before and after what is timed: how fast the processor is then.

A clock that fell or a neighbour that takes memory bandwidth slows it like everything else, so two
cells whose products differ were not measured on the same machine. No result is divided by it: that
would hide what happened.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bertsquad.machine.clock import megahertz

_ROWS, _INPUTS, _OUTPUTS = 512, 1024, 1024  # 8 MiB in FP32, about 3 ms on two cores
_LEAST_ROUNDS, _LEAST_S = 5, 0.1

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Product:
    """A product that can be run again; only those of the same name compare."""

    name: str
    run: Callable[[], object]


def product(precision: str, native: bool) -> Product:
    """The product of a precision by PyTorch, where this process has imported it and the processor
    does not emulate it; else of FP32 by NumPy, which every process has: importing PyTorch for it
    would add to the memory that is measured."""
    if "torch" in sys.modules and native:
        from bertsquad.benchmark.gemm_paths import PATHS, Shape

        for name, make in PATHS.get(precision, {}).items():
            try:
                run = make(Shape(_ROWS, _INPUTS, _OUTPUTS))
                run()
            except RuntimeError:  # this build or processor lacks the path
                continue
            return Product(f"torch {precision} {name}", _without_gradients(run))
    import numpy as np

    inputs, weights = np.ones((_ROWS, _INPUTS), np.float32), np.ones((_INPUTS, _OUTPUTS), "f")
    result = np.empty((_ROWS, _OUTPUTS), np.float32)
    return Product("numpy fp32", lambda: np.matmul(inputs, weights, out=result))


def _without_gradients(run: Callable[[], object]) -> Callable[[], object]:
    import torch

    def call() -> object:
        with torch.inference_mode():
            return run()

    return call


def gflops(run: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    """The best rate of a product, 10^9 operations a second, over a tenth of a second or more; the
    first run counts for nothing."""
    run()
    samples: list[float] = []
    begin = clock()
    while len(samples) < _LEAST_ROUNDS or clock() - begin < _LEAST_S:
        start = clock()
        run()
        samples.append(clock() - start)
    return 2 * _ROWS * _INPUTS * _OUTPUTS / 1e9 / min(samples)


@dataclass(slots=True)
class Calibration:
    """The product before and after one measurement. `progress` is a mode's, and goes on to `tell`:
    the first product runs once the model is loaded, before the warm-up fills the caches again."""

    precision: str
    native: bool
    cpus: list[int]
    tell: Callable[[str, int, int], None]
    made: Callable[[str, bool], Product] = product
    facts: dict[str, Any] = field(default_factory=dict)

    def progress(self, phase: str, done: int, total: int) -> None:
        if phase != "load" and not self.facts:
            self.facts = self._read("before")
        self.tell(phase, done, total)

    def result(self) -> dict[str, Any]:
        """`product`, its rate `before_gflops` and `after_gflops`, and the clock `before_mhz` and
        `after_mhz`, which may be unavailable; empty where nothing was measured."""
        if not self.facts:
            return {}
        return self.facts | self._read("after")

    def _read(self, when: str) -> dict[str, Any]:
        # Made anew, so that its memory is not part of what is measured.
        made = self.made(self.precision, self.native)
        rate = gflops(made.run)
        return {
            "product": made.name,
            f"{when}_gflops": rate,
            f"{when}_mhz": megahertz(self.cpus),
        }
