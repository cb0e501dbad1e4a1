"""Mode `batches`: one batch after another, each a request with a latency (MLPerf: SingleStream)."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from bertsquad.benchmark import batch_means, services
from bertsquad.benchmark.cell import Settings, Sources, describe_cell
from bertsquad.benchmark.percentiles import summarize
from bertsquad.benchmark.scenario import TIMED_REGION, Budget, Measurement, measure
from bertsquad.benchmark.steady import NEEDS, classify, dependence
from bertsquad.benchmark.timing import fitting
from bertsquad.benchmark.workload import Workload, make_workload
from bertsquad.data.features import Features
from bertsquad.engines import Engine

# Within a budget, at least: batches for a median, features for a mean length within 1 % of SQuAD's.
_FEWEST_BATCHES, _FEWEST_FEATURES = 6, 16


def measured(
    load: Callable[[], Engine],
    features: Features,
    settings: Settings,
    sources: Sources,
    progress: Callable[[str, int, int], None],
) -> dict[str, Any]:
    """The cell of a mode `batches` measurement."""
    assert settings.batch_size is not None  # the command asks for it in this mode
    size, seconds = settings.batch_size, settings.seconds
    of = partial(
        make_workload,
        features.lengths,
        batch_size=size,
        warmup=settings.warmup_iterations,
        seed=settings.workload_seed,
    )
    workload = of(iterations=settings.iterations)

    def fitted(first_s: float) -> Workload:
        """As many batches as fit, if they take as long as the first for each of their tokens."""
        assert seconds is not None
        if settings.padding == "none":
            first_s *= size * features.lengths.mean() / features.lengths[workload.first].sum()
        least = max(_FEWEST_BATCHES, -(-_FEWEST_FEATURES // size))
        return of(iterations=fitting(seconds, first_s, least, -(-len(features.lengths) // size)))

    measurement = measure(
        load,
        features,
        workload,
        padding=settings.padding,
        budget=None if seconds is None else Budget(seconds, fitted),
        progress=progress,
    )
    return cell_of(settings, measurement)


def cell_of(settings: Settings, measurement: Measurement) -> dict[str, Any]:
    """The measurement as a cell, with percentiles of the latency, which only this mode has.

    The samples before the series is steady are kept in the file, but count neither for percentiles
    nor for rates. Where requests depend on their neighbours, intervals are those of batch means.
    """
    samples_ms = measurement.latency_samples_ms
    if settings.seconds is not None:
        settings = replace(settings, iterations=len(samples_ms))
    form = "padded" if settings.padding == "max_length" else "packed"
    series = relative(measurement)
    found = classify(series)
    dropped = found.dropped if found else 0
    correlation = dependence(series[dropped:])
    summary = batch_means.summarize if correlation else summarize
    return describe_cell(
        settings,
        measurement,
        samples_ms[dropped:],
        counted=_after(measurement, dropped),
        timed_region=TIMED_REGION.format(form=form),
        latency_ms=summary(samples_ms[dropped:]),
        steady=(found.describe() if found else {"needs": NEEDS}) | {"correlation": correlation},
    )


def relative(measurement: Measurement) -> np.ndarray:
    """Each sample divided by what a batch of so many tokens takes: float64[samples]. Batches differ
    six times in length, and would hide a drift of a twentieth."""
    samples = np.array(measurement.latency_samples_ms) / 1000
    tokens = np.array(measurement.batch_tokens or [1] * len(samples))
    return services.fit(tokens, samples).residuals


def _after(measurement: Measurement, dropped: int) -> Measurement:
    """Without the first samples: what the rates count."""
    if not dropped:
        return measurement
    kept = sum(measurement.batch_tokens[dropped:])
    share = kept / measurement.computed_tokens
    rest = len(measurement.latency_samples_ms) - dropped
    return replace(
        measurement,
        features=measurement.features * rest // (rest + dropped),  # all batches have one size
        tokens=round(share * measurement.tokens),  # padded: as on average
        computed_tokens=kept,
    )
