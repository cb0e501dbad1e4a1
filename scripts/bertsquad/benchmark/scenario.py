"""A run of batches: load, first inference, warm-up, then one sample for every batch.

The warm-up visits every shape of the run: an engine may prepare a shape when it first meets it,
which can take ten times as long as the inference. In service every shape is soon met.

One sample is one batch end to end in one thread of requests, each starting when the last has
finished. Inside the clock: reading the features from their memory-mapped file, packing (or padding)
them into NumPy arrays, the engine, and its logits as NumPy arrays. Outside: tokenisation before,
decoding to text after.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bertsquad.benchmark import timing
from bertsquad.benchmark.loading import load_engine
from bertsquad.benchmark.workload import Workload, computed_tokens, shapes, squares
from bertsquad.data.features import Features
from bertsquad.engines import Engine
from bertsquad.machine.memory import peak_memory_mib

TIMED_REGION = (
    "one batch: feature arrays from the memory-mapped file -> {form} NumPy arrays -> engine -> "
    "start and end logits as NumPy arrays"
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run of a workload gave; `latency_samples_ms` in the order of the timed batches."""

    latency_samples_ms: list[float]
    features: int  # in the timed batches, all together
    tokens: int  # real ones, in the timed batches
    squared_lengths: int  # the sum of their squares: attention's operations follow from it
    computed_tokens: int  # with the padding
    model_load_s: float
    first_inference_s: float
    cold_s: float  # what the first visits of all shapes of the run cost over later ones
    memory_before_load_mib: float  # the engine's library and the features are open
    memory_after_load_mib: float
    peak_memory_mib: float
    batch_tokens: list[int] = field(default_factory=list)  # computed, of each timed batch


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds to time, in place of a number of batches."""

    seconds: float
    workload: Callable[[float], Workload]  # what fits, from the seconds of the first batch


def measure(
    load: Callable[[], Engine],
    features: Features,
    workload: Workload,
    *,
    padding: str,
    budget: Budget | None = None,
    clock: timing.Clock = time.perf_counter_ns,
    progress: Callable[[str, int, int], None] = timing.silent,
) -> Measurement:
    """Load an engine and run a workload through it.

    `padding` is "none" (real lengths, packed) or "max_length" (every feature padded to the
    features' max_seq_length, as run_squad.py does). With a `budget` the first batch runs once more,
    and what is run after it is what the budget gives for its time; while three quarters of it are
    not over, all timed batches are run again. `progress(phase, done, total)` is called
    between samples, outside the clock. Memory is the whole process's, so one process should
    measure one cell; the peak includes what loading needed for a moment.
    """
    run = runner(features, padding)
    engine, loading = load_engine(load, clock, progress)
    _, first_ns = timing.timed(lambda: run(engine, workload.first), clock)
    if budget is not None:
        _, again_ns = timing.timed(lambda: run(engine, workload.first), clock)
        workload = budget.workload(again_ns / timing.NANOSECONDS)
    places = shapes(workload.timed, features.lengths, padded=padding == "max_length")
    progress("warm-up of all shapes", 0, len(places))
    visits = timing.time_batches(
        lambda place: run(engine, workload.timed[place]), places, clock=clock
    )
    for done, batch in enumerate(workload.warmup):
        progress("warm-up", done, len(workload.warmup))
        run(engine, batch)
    samples_ns = timing.time_batches(
        lambda batch: run(engine, batch),
        workload.timed,
        clock=clock,
        progress=progress,
        at_least_s=timing.at_least(budget.seconds if budget else None),
    )
    passes = len(samples_ns) // len(workload.timed)
    padded_to = features.max_seq_length if padding == "max_length" else None
    tokens = [computed_tokens([batch], features.lengths, padded_to) for batch in workload.timed]
    return Measurement(
        latency_samples_ms=[sample / 1e6 for sample in samples_ns],
        features=passes * sum(len(batch) for batch in workload.timed),
        tokens=passes * computed_tokens(workload.timed, features.lengths, None),
        squared_lengths=passes * sum(squares(features.lengths[b]) for b in workload.timed),
        computed_tokens=passes * sum(tokens),
        first_inference_s=first_ns / timing.NANOSECONDS,
        cold_s=_beyond(visits, [samples_ns[place] for place in places]),
        peak_memory_mib=peak_memory_mib(),
        batch_tokens=passes * tokens,
        **loading,
    )


def _beyond(visits: Sequence[int], later: Sequence[int]) -> float:
    """Seconds that the visits took longer than the same batches later; both in nanoseconds. Noise
    can make it a little less than nothing where an engine prepares nothing."""
    return (sum(visits) - sum(later)) / timing.NANOSECONDS


def runner(features: Features, padding: str) -> Callable[[Engine, np.ndarray], object]:
    """What is inside the clock, for one batch of feature numbers."""
    if padding == "max_length":
        return lambda engine, batch: engine.run_padded(*features.padded(batch))
    if padding == "none":
        return lambda engine, batch: engine.run(features.packed(batch))
    raise ValueError(f"padding is {padding!r}; expected 'max_length' or 'none'")
