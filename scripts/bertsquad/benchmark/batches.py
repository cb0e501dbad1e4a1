"""Mode `batches`: one batch after another, each a request with a latency (MLPerf: SingleStream)."""

from collections.abc import Callable
from typing import Any

from bertsquad.benchmark.cell import Settings, Sources, describe_cell
from bertsquad.benchmark.percentiles import summarize
from bertsquad.benchmark.scenario import TIMED_REGION, Measurement, measure
from bertsquad.benchmark.workload import make_workload
from bertsquad.data.features import Features
from bertsquad.engines import Engine


def measured(
    load: Callable[[], Engine],
    features: Features,
    settings: Settings,
    sources: Sources,
    progress: Callable[[str, int, int], None],
) -> dict[str, Any]:
    """The cell of a mode `batches` measurement."""
    assert settings.batch_size is not None  # the command asks for it in this mode
    workload = make_workload(
        features.lengths,
        batch_size=settings.batch_size,
        warmup=settings.warmup_iterations,
        iterations=settings.iterations,
        seed=settings.workload_seed,
    )
    measurement = measure(load, features, workload, padding=settings.padding, progress=progress)
    return cell_of(settings, measurement)


def cell_of(settings: Settings, measurement: Measurement) -> dict[str, Any]:
    """The measurement as a cell, with percentiles of the latency, which only this mode has."""
    samples_ms = measurement.latency_samples_ms
    form = "padded" if settings.padding == "max_length" else "packed"
    return describe_cell(
        settings,
        measurement,
        samples_ms,
        timed_region=TIMED_REGION.format(form=form),
        latency_ms=summarize(samples_ms),
    )
