"""The one timed loop, of cells and of `make bench`'s programs: a call, its nanoseconds, again.

Standard library only: other interpreters read this file, too (scripts/peers/protocol.py).
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

NANOSECONDS = 1_000_000_000
# Of a budget: work that was fitted to it may turn out to be faster than the estimate.
_ENOUGH = 0.75

Clock = Callable[[], int]  # nanoseconds
_T = TypeVar("_T")


def silent(phase: str, done: int, total: int) -> None:
    """No progress."""


def time_batches(
    run: Callable[[_T], object],
    batches: Sequence[_T],
    *,
    clock: Clock = time.perf_counter_ns,
    progress: Callable[[str, int, int], None] = silent,
    at_least_s: float = 0.0,
) -> list[int]:
    """Nanoseconds of each call, with Python's garbage collector off: of all batches once and, while
    the samples are less than `at_least_s` together, of all of them again."""
    samples: list[int] = []
    with garbage_collector_off():
        while batches and (not samples or sum(samples) < at_least_s * NANOSECONDS):
            for batch in batches:
                progress("timing", len(samples), len(batches))
                start = clock()
                run(batch)
                samples.append(clock() - start)
    return samples


def at_least(seconds: float | None) -> float:
    """How much of a budget of `seconds` is timed at least; nothing without one."""
    return _ENOUGH * (seconds or 0.0)


def fitting(seconds: float, each_s: float, least: int, most: int) -> int:
    """How many that take `each_s` fit into the budget: at most `most`, but at least `least`."""
    return max(least, min(round(seconds / each_s), most))


def timed(call: Callable[[], _T], clock: Clock) -> tuple[_T, int]:
    """The call's result and how many nanoseconds it took."""
    start = clock()
    result = call()
    return result, clock() - start


@contextmanager
def garbage_collector_off() -> Iterator[None]:
    """Collect now, and not again until the block ends."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
