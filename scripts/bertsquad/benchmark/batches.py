"""Mode `batches`: one batch after another, each a request with a latency (MLPerf: SingleStream)."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from bertsquad.benchmark.cell import Settings, Sources, describe_cell
from bertsquad.benchmark.percentiles import summarize
from bertsquad.benchmark.scenario import TIMED_REGION, Budget, Measurement, measure
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
    """The measurement as a cell, with percentiles of the latency, which only this mode has."""
    samples_ms = measurement.latency_samples_ms
    if settings.seconds is not None:
        settings = replace(settings, iterations=len(samples_ms))
    form = "padded" if settings.padding == "max_length" else "packed"
    return describe_cell(
        settings,
        measurement,
        samples_ms,
        timed_region=TIMED_REGION.format(form=form),
        latency_ms=summarize(samples_ms),
    )
