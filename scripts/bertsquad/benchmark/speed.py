"""How fast one engine answers: request after request, padded, and with all questions at hand.

Every number gets about the same time. The timed features are spread evenly over all lengths, so
that a slow machine, which times few, times the same mixture.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from bertsquad.benchmark.flops import useful_flops
from bertsquad.benchmark.percentiles import summarize
from bertsquad.benchmark.scenario import garbage_collector_off
from bertsquad.benchmark.statistics import per_second
from bertsquad.benchmark.workload import spread_over_lengths
from bertsquad.data.batching import PackedBatch
from bertsquad.data.features import Features
from bertsquad.engines import Engine

_FEWEST_REQUESTS = 16  # over all lengths; their mean length is then within 1 % of SQuAD's
_FEWEST_FEATURES = 24  # with their neighbours; the same
_FEWEST_SAMPLES = 6  # of what does not depend on a mixture: a median needs so many
# Of SQuAD's 10,833 features about 30 share each length, and engines gain from such neighbours.
_NEIGHBOURS = 4
# A whole dataset is hundreds of batches; with too few, threads that idle at the end would be timed.
_BATCHES_PER_THREAD = 8
# From 384 rows on products run at full speed; larger batches would only give fewer samples.
_PADDED_BATCH = 4

_Clock = Callable[[], float]  # seconds


def measure_requests(
    engine: Engine, features: Features, seconds: float, clock: _Clock = time.perf_counter
) -> dict[str, Any]:
    """Single requests, each sent when the one before is answered.

    `at_median` holds milliseconds of the feature of median length, again and again for half the
    time; `over_lengths` those of features spread over all lengths, as many as fit into the other
    half, in random order.
    """
    lengths = features.lengths
    by_length = np.argsort(lengths, kind="stable")
    median, longest = by_length[len(lengths) // 2], by_length[-1]

    def ask(feature: int) -> object:
        return engine.run(features.packed([feature]))

    for feature in (longest, median):  # what an engine prepares for a length it has not met
        ask(feature)
    at_median = _sample(ask, itertools.repeat(median), seconds / 2, clock)
    expected = seconds / 2 / float(np.median(at_median))
    count = _bounded(expected, _FEWEST_REQUESTS, len(lengths))
    spread = spread_over_lengths(lengths, count)
    np.random.default_rng(0).shuffle(spread)
    over_lengths = _sample(ask, spread, None, clock)
    return {
        "at_median": {"length": int(lengths[median]), **_describe(at_median)},
        "over_lengths": {"mean_length": float(lengths[spread].mean()), **_describe(over_lengths)},
    }


def measure_padded(
    engine: Engine,
    features: Features,
    config: Mapping[str, int],
    seconds: float,
    clock: _Clock = time.perf_counter,
) -> dict[str, Any]:
    """Batches of _PADDED_BATCH features, each padded to the features' max_seq_length.

    `useful_gflops` is that of the real tokens of an average feature, `computed_gflops` counts the
    padding.
    """
    size = min(_PADDED_BATCH, len(features))
    arrays = features.padded(spread_over_lengths(features.lengths, size))

    def run(_: int) -> object:
        return engine.run_padded(*arrays)

    run(0)
    samples = _sample(run, itertools.count(), seconds, clock)
    rate = per_second(size * len(samples), _milliseconds(samples))
    full = np.full(1, features.max_seq_length)
    useful = useful_flops(config, features.lengths) / len(features)
    return {
        "features_per_second": rate,
        "useful_gflops": rate * useful / 1e9,
        "computed_gflops": rate * useful_flops(config, full) / 1e9,
        "batch_size": size,
        "max_seq_length": features.max_seq_length,
        **_describe(samples),
    }


def measure_offline(
    engine: Engine,
    features: Features,
    config: Mapping[str, int],
    seconds: float,
    rate: float,
    clock: _Clock = time.perf_counter,
) -> dict[str, Any]:
    """All questions at hand, at their real lengths, in the batches that the engine plans.

    About as many features as `rate` (features/s, an estimate) lets pass in the time, in whole
    passes: while less than half of the time is gone, all are sent once more.
    """
    chosen = spread_with_neighbours(
        features.lengths, _bounded(rate * seconds, _FEWEST_FEATURES, len(features))
    )
    lengths = features.lengths[chosen]
    batches = [features.packed(chosen[batch]) for batch in plan(engine, lengths)]
    for _ in engine.stream([features.packed(chosen[:1])] * 2):
        pass
    passes, start = 0, clock()

    def whole_passes() -> Iterator[PackedBatch]:
        nonlocal passes
        while not passes or clock() - start < seconds / 2:
            passes += 1
            yield from batches

    with garbage_collector_off():
        answered = sum(len(batch) for batch, _, _ in engine.stream(whole_passes()))
        elapsed = clock() - start
    if answered != passes * len(chosen):
        raise RuntimeError(
            f"{engine.name} answered {answered} of {passes * len(chosen)} features; it is broken"
        )
    return {
        "features": answered,
        "passes": passes,
        "batches": passes * len(batches),
        "mean_length": float(lengths.mean()),
        "seconds": elapsed,
        "features_per_second": answered / elapsed,
        "useful_gflops": passes * useful_flops(config, lengths) / elapsed / 1e9,
    }


def spread_with_neighbours(lengths: np.ndarray, count: int) -> np.ndarray:
    """About `count` feature numbers, int64: groups of _NEIGHBOURS next to each other by length, the
    groups evenly spaced."""
    groups = np.split(
        np.argsort(lengths, kind="stable"), range(_NEIGHBOURS, len(lengths), _NEIGHBOURS)
    )
    chosen = spread_over_lengths(np.arange(len(groups)), -(-count // _NEIGHBOURS))
    return np.concatenate([groups[number] for number in chosen])


def plan(engine: Engine, lengths: np.ndarray) -> list[np.ndarray]:
    """The engine's batches, the longest first. Where they would be too few for its threads, it is
    asked for smaller pieces one by one, down to _NEIGHBOURS features. `lengths` ascending."""
    size = len(lengths)
    while True:
        ends = range(len(lengths), 0, -size)
        pieces = [np.arange(max(end - size, 0), end) for end in ends]
        batches = [piece[batch] for piece in pieces for batch in engine.plan(lengths[piece])]
        if size <= _NEIGHBOURS or len(batches) >= _BATCHES_PER_THREAD * engine.threads:
            return batches
        size = max(size // 2, _NEIGHBOURS)


def _sample(
    call: Callable[[int], object], items: Iterable[int], seconds: float | None, clock: _Clock
) -> list[float]:
    """Seconds of a call for each item; with `seconds`, no more items when they are over."""
    samples: list[float] = []
    begin = clock()
    with garbage_collector_off():
        for item in items:
            start = clock()
            call(item)
            samples.append(clock() - start)
            if (
                seconds is not None
                and clock() - begin >= seconds
                and len(samples) >= _FEWEST_SAMPLES
            ):
                break
    return samples


def _describe(samples: list[float]) -> dict[str, Any]:
    """Percentiles in milliseconds, and all samples."""
    taken = _milliseconds(samples)
    return {"latency_ms": summarize(taken), "latency_samples_ms": taken}


def _milliseconds(samples: list[float]) -> list[float]:
    return [1000 * seconds for seconds in samples]


def _bounded(count: float, least: int, most: int) -> int:
    return min(max(round(count), least), most)
