"""Mode `offline`: all features at hand, batched and streamed as the engine likes (MLPerf: Offline).

One sample is one pass over the set: the engine's plan, the features of the memory-mapped file
packed into NumPy arrays, the engine, and its logits as NumPy arrays.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bertsquad.benchmark.cell import Settings, Sources, describe_cell
from bertsquad.benchmark.passes import PassMeasurement, run_through, spread
from bertsquad.benchmark.scenario import NANOSECONDS, Clock, time_batches, timed
from bertsquad.benchmark.workload import spread_over_lengths
from bertsquad.data.features import Features
from bertsquad.engines import Engine
from bertsquad.machine.memory import peak_memory_mib, resident_memory_mib

_TIMED_REGION = (
    "one pass over all features: the engine's plan -> packed NumPy arrays from the memory-mapped "
    "file -> engine -> start and end logits as NumPy arrays, in any order"
)


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
        progress=progress,
    )
    samples_ms = [1000 * sample for sample in measurement.pass_samples_s]
    return describe_cell(settings, measurement, samples_ms, timed_region=_TIMED_REGION)


def measure(
    load: Callable[[], Engine],
    features: Features,
    *,
    count: int,
    warmup: int,
    passes: int,
    clock: Clock = time.perf_counter_ns,
    progress: Callable[[str, int, int], None] = lambda phase, done, total: None,
) -> PassMeasurement:
    """Load an engine and stream `count` features, or all there are, `passes` times through it.

    The features are spread evenly over the lengths of the file, the same for every cell that asks
    alike. Before the first pass the engine sees the first batch of its plan, the longest, and
    `warmup` batches from all over it.
    """
    numbers = spread_over_lengths(features.lengths, min(count, len(features.lengths)))
    lengths = features.lengths[numbers]
    memory_before_load_mib = resident_memory_mib()
    progress("load", 0, 1)
    engine, load_ns = timed(load, clock)
    memory_after_load_mib = resident_memory_mib()
    plan = [numbers[batch] for batch in engine.plan(lengths)]

    def run(batches: list[np.ndarray]) -> None:
        run_through(engine, map(features.packed, batches))

    def one_pass(number: int) -> None:
        run([numbers[batch] for batch in engine.plan(lengths)])

    _, first_ns = timed(lambda: run(plan[:1]), clock)
    progress("warm-up", 0, warmup)
    run([plan[place] for place in spread(len(plan), warmup)])
    samples_ns = time_batches(one_pass, range(passes), clock=clock, progress=progress)
    tokens = passes * int(lengths.sum())
    return PassMeasurement(
        pass_samples_s=[sample / NANOSECONDS for sample in samples_ns],
        features=passes * len(numbers),
        tokens=tokens,
        computed_tokens=tokens,
        batches=len(plan),
        model_load_s=load_ns / NANOSECONDS,
        first_inference_s=first_ns / NANOSECONDS,
        memory_before_load_mib=memory_before_load_mib,
        memory_after_load_mib=memory_after_load_mib,
        peak_memory_mib=peak_memory_mib(),
    )
