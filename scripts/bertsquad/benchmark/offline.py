"""Mode `offline`: all features at hand, batched and streamed as the engine likes (MLPerf: Offline).

One sample is one pass over the set: the engine's plan, the features of the memory-mapped file
packed into NumPy arrays, the engine, and its logits as NumPy arrays.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from bertsquad.benchmark import timing, workload
from bertsquad.benchmark.cell import Settings, Sources, describe_cell
from bertsquad.benchmark.loading import load_engine
from bertsquad.benchmark.passes import PassMeasurement, plan_of_few, run_through, spread
from bertsquad.data.features import Features
from bertsquad.engines import Engine
from bertsquad.machine.memory import peak_memory_mib

_TIMED_REGION = (
    "one pass over all features: the engine's plan -> packed NumPy arrays from the memory-mapped "
    "file -> engine -> start and end logits as NumPy arrays, in any order"
)

_FEWEST_FEATURES = 24  # within a budget: with their neighbours, mean length within 1 % of SQuAD's


def measured(
    load: Callable[[], Engine],
    features: Features,
    settings: Settings,
    sources: Sources,
    progress: Callable[[str, int, int], None],
) -> dict[str, Any]:
    """The cell of a mode `offline` measurement."""
    assert settings.count is not None  # the command asks for it in this mode
    measurement = measure(
        load,
        features,
        count=settings.count,
        warmup=settings.warmup_iterations,
        passes=settings.iterations,
        seconds=settings.seconds,
        progress=progress,
    )
    passes = len(measurement.pass_samples_s)
    if settings.seconds is not None:
        settings = replace(settings, count=measurement.features // passes, iterations=passes)
    samples_ms = [1000 * sample for sample in measurement.pass_samples_s]
    return describe_cell(settings, measurement, samples_ms, timed_region=_TIMED_REGION)


def measure(
    load: Callable[[], Engine],
    features: Features,
    *,
    count: int,
    warmup: int,
    passes: int,
    seconds: float | None = None,
    clock: timing.Clock = time.perf_counter_ns,
    progress: Callable[[str, int, int], None] = timing.silent,
) -> PassMeasurement:
    """Load an engine and stream `count` features, or all there are, `passes` times through it.

    They are spread evenly over the lengths, the same for every cell that asks alike. Before the
    first pass the engine sees the longest batch of its plan, one of each shape, which it may
    prepare, and `warmup` ones from all over it.
    With `seconds`, at most `count` features: as many as pass in that time, with their neighbours,
    in batches for all threads. While three quarters of the time are not over, all are run again.
    """
    count = min(count, len(features.lengths))
    engine, loading = load_engine(load, clock, progress)

    def run(batches: list[np.ndarray]) -> None:
        run_through(engine, map(features.packed, batches))

    def planned() -> list[np.ndarray]:
        return [numbers[batch] for batch in plan_for(lengths)]

    first_ns = None
    plan_for: Callable[[np.ndarray], list[np.ndarray]] = engine.plan
    if seconds is None:
        numbers = workload.spread_over_lengths(features.lengths, count)
    else:
        numbers, first_ns = _fitting_features(run, engine.threads, features, count, seconds, clock)
        plan_for = partial(plan_of_few, engine)
    lengths = features.lengths[numbers]
    plan = planned()
    if first_ns is None:
        _, first_ns = timing.timed(lambda: run(plan[:1]), clock)
    visited = [plan[place] for place in workload.shapes(plan, features.lengths)]
    progress("warm-up of all shapes", 0, len(visited))
    _, visits_ns = timing.timed(lambda: run(visited), clock)
    progress("warm-up", 0, warmup)
    run([plan[place] for place in spread(len(plan), warmup)])
    samples_ns = timing.time_batches(
        lambda _: run(planned()),
        range(passes),
        clock=clock,
        progress=progress,
        at_least_s=timing.at_least(seconds),
    )
    passes, tokens = len(samples_ns), len(samples_ns) * int(lengths.sum())
    part = sum(int(features.lengths[batch].sum()) for batch in visited) / int(lengths.sum())
    later_ns = part * statistics.median(samples_ns)
    return PassMeasurement(
        pass_samples_s=[sample / timing.NANOSECONDS for sample in samples_ns],
        features=passes * len(numbers),
        tokens=tokens,
        squared_lengths=passes * workload.squares(lengths),
        computed_tokens=tokens,
        batches=len(plan),
        first_inference_s=first_ns / timing.NANOSECONDS,
        cold_s=(visits_ns - later_ns) / timing.NANOSECONDS,
        peak_memory_mib=peak_memory_mib(),
        **loading,
    )


def _fitting_features(
    run: Callable[[list[np.ndarray]], None],
    threads: int,
    features: Features,
    count: int,
    seconds: float,
    clock: timing.Clock,
) -> tuple[np.ndarray, int]:
    """The numbers of as many features, at most `count`, as pass in the time, by two of the median
    length for each thread; and the nanoseconds of the very first."""
    median = workload.spread_over_lengths(features.lengths, 1)
    _, first_ns = timing.timed(lambda: run([median]), clock)
    some = [median] * (2 * threads)
    _, some_ns = timing.timed(lambda: run(some), clock)
    each_s = some_ns / timing.NANOSECONDS / len(some)
    count = timing.fitting(seconds, each_s, min(_FEWEST_FEATURES, count), count)
    groups = max(1, count // workload.NEIGHBOURS)
    return workload.spread_with_neighbours(features.lengths, groups), first_ns
