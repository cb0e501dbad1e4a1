"""How a program of the benchmark is run: loaded once, then told by a line on stdin to run.

Standard library and NumPy only, since every environment imports it. It writes one JSON line
when it is ready and one after each run; what libraries print goes to stderr.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib.util
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np

PADDED_BATCH = 4  # features of a padded batch
EQUAL_LENGTHS = 4  # features of one length that go together where nothing is padded
CHECKED = 4  # features whose logits every program gives, to be compared

TIMING = Path(__file__).resolve().parent.parent / "bertsquad/benchmark/timing.py"

Rectangle = tuple[np.ndarray, ...]  # input_ids, input_mask, segment_ids: int64[batch, length] each
Logits = tuple[np.ndarray, np.ndarray]  # start and end, float32[batch, length] each


class Program(Protocol):
    """One way to do what is measured."""

    def check(self) -> list[float]:
        """Numbers that every program must agree on: logits of the first features, end to end, or
        the loss of the first training step and the norm of its gradient."""
        ...

    def run(self) -> float:
        """Run everything once; the number of features, or the ceiling's GFLOP/s."""
        ...


@dataclass(frozen=True, slots=True)
class Features:
    """The features to run, as all programs get them."""

    input_ids: list[np.ndarray]  # int64[length] of each feature
    segments: list[np.ndarray]
    start_positions: np.ndarray  # int64[features]
    end_positions: np.ndarray
    max_seq_length: int

    @classmethod
    def read(cls, path: str | Path) -> Features:
        with np.load(path) as arrays:
            cuts = arrays["starts"][1:-1]
            return cls(
                np.split(arrays["input_ids"], cuts),
                np.split(arrays["segments"], cuts),
                arrays["start_positions"],
                arrays["end_positions"],
                int(arrays["max_seq_length"]),
            )

    @property
    def lengths(self) -> np.ndarray:
        return np.array([len(ids) for ids in self.input_ids])

    def equal_lengths(self) -> list[np.ndarray]:
        """Feature numbers, in batches of one length each: nothing to pad."""
        order = np.argsort(-self.lengths, kind="stable")
        runs = np.split(order, np.flatnonzero(np.diff(self.lengths[order])) + 1)
        return [
            run[at : at + EQUAL_LENGTHS] for run in runs for at in range(0, len(run), EQUAL_LENGTHS)
        ]

    def by_count(self, size: int) -> list[np.ndarray]:
        """Feature numbers by length, the longest first, in batches of `size`."""
        order = np.argsort(-self.lengths, kind="stable")
        return [order[at : at + size] for at in range(0, len(order), size)]

    def rectangle(self, numbers: np.ndarray, length: int) -> Rectangle:
        """These features, padded to `length`."""
        arrays = np.zeros((3, len(numbers), length), np.int64)
        for row, number in enumerate(numbers):
            count = len(self.input_ids[number])
            arrays[0, row, :count] = self.input_ids[number]
            arrays[1, row, :count] = 1
            arrays[2, row, :count] = self.segments[number]
        return tuple(arrays)

    def batches(self, form: str) -> list[Rectangle]:
        """The rectangles that a peer is fed: "padded" to max_seq_length, "real": of equal lengths,
        "single": one feature after the other."""
        if form == "padded":
            chosen = self.by_count(PADDED_BATCH)
            return [self.rectangle(numbers, self.max_seq_length) for numbers in chosen]
        chosen = self.equal_lengths() if form == "real" else self.by_count(1)
        return [self.rectangle(numbers, len(self.input_ids[numbers[0]])) for numbers in chosen]

    def checked(self, padded: bool, logits: Callable[[Rectangle], Logits]) -> list[float]:
        """The logits of the first features, end to end, computed in the program's own form; those
        of padding mean nothing and are left out."""
        count = min(CHECKED, len(self.input_ids))
        if padded:  # the shape that is timed, so that a compiler meets no second one
            numbers = np.arange(min(PADDED_BATCH, len(self.input_ids)))
            start, end = logits(self.rectangle(numbers, self.max_seq_length))
            pairs = [(start[n], end[n]) for n in range(count)]
        else:
            alone = (self.rectangle(np.array([n]), int(self.lengths[n])) for n in range(count))
            pairs = [(start[0], end[0]) for start, end in map(logits, alone)]
        return [
            float(number)
            for pair, length in zip(pairs, self.lengths, strict=False)
            for part in pair
            for number in part[:length]
        ]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--variant", required=True, help="which way of this library")
    parser.add_argument("--precision", required=True)
    parser.add_argument("--form", required=True, help="padded, real or single; or of the texts")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--model", type=Path, help="model folder")
    parser.add_argument("--turn-s", type=float, default=0.0, help="the least that a turn takes")
    parser.add_argument(
        "--input", type=Path, required=True, help="features to run, or a SQuAD file"
    )
    return parser.parse_args()


def peak_memory_mib() -> float:
    """The most that this process ever held in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise LookupError("/proc/self/status has no VmHWM")


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    return {"python": platform.python_version()} | {p: metadata.version(p) for p in packages}


def timed(program: Program, turn_s: float) -> dict[str, Any]:
    """One turn: all of the work once or, until `turn_s` are over, several times; its `seconds` and
    how many `features`."""
    timing = _timing()
    features: list[float] = []
    samples = timing.time_batches(
        lambda _: features.append(program.run()), [None], at_least_s=turn_s
    )
    return {"seconds": sum(samples) / timing.NANOSECONDS, "features": sum(features)}


@cache
def _timing() -> ModuleType:
    """The library's timed loop, by its path: were the library on the path of another environment,
    modules beside it would be taken for that environment's packages (evaluate, datasets)."""
    spec = importlib.util.spec_from_file_location("timing", TIMING)
    assert spec is not None
    assert spec.loader is not None
    timing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(timing)
    return timing


def _end_with_parent() -> None:
    """Be killed when the process that started this one ends (prctl(2), PR_SET_PDEATHSIG): between
    its turns it is stopped, and would never see the end of stdin."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def serve(
    load: Callable[[argparse.Namespace], Program],
    *packages: str,
    measure: Callable[[Any, float], dict[str, Any]] = timed,
) -> None:
    """Load a program and answer until stdin ends. `packages`: whose versions are reported."""
    _end_with_parent()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer

    def answer(**facts: Any) -> None:
        answers.write(json.dumps(facts) + "\n")
        answers.flush()

    args = parse_args()
    begin = time.perf_counter()
    program = load(args)
    load_s = time.perf_counter() - begin
    check = program.check()
    program.run()  # warm-up: all shapes have been met
    gc.collect()
    gc.freeze()
    gc.disable()
    answer(
        check=check,
        load_s=load_s,
        peak_memory_mib=peak_memory_mib(),
        versions=versions(packages),
        **getattr(program, "facts", {}),
    )
    for _ in sys.stdin:
        answer(**measure(program, args.turn_s), peak_memory_mib=peak_memory_mib())
