"""One measured cell as JSON: how it was taken, the raw samples, and what follows from them."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bertsquad.benchmark.scenario import TIMED_REGION, Measurement
from bertsquad.benchmark.statistics import per_second, summarize

CLOCK = "time.perf_counter_ns; Python's garbage collector off in all that is timed"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a cell was asked to measure."""

    engine: str
    precision: str
    scenario: str  # the configuration's name for it
    mode: str  # "batches" | "offline" | "end_to_end"
    padding: str  # "max_length" | "none"
    batch_size: int | None  # None: as the engine plans
    threads: int
    threads_requested: str  # a number, or "all", which `threads` resolves
    repeat: int  # counts repeats of the same cell, from 1
    warmup_iterations: int
    iterations: int  # batches, or passes over the whole set
    workload_seed: int
    count: int | None = None  # features (offline) or questions (end_to_end) at hand, at most


@dataclass(frozen=True, slots=True)
class Sources:
    """The files behind a cell."""

    model: Path
    features: Path
    dataset: Path | None  # end_to_end only: the JSON that the features were made from


def describe_cell(settings: Settings, measurement: Measurement) -> dict[str, Any]:
    """What a cell of mode `batches` says.

    Throughput counts the time inside the clock only: features (or real tokens) of all timed
    batches, divided by the sum of the samples.
    """
    samples = measurement.latency_samples_ms
    form = "padded" if settings.padding == "max_length" else "packed"
    return {
        **asdict(settings),
        **asdict(measurement),
        "latency_ms": summarize(samples),
        **rates(measurement, samples),
        "percentiles": "nearest rank: the smallest sample not exceeded by p % of the samples",
        "timed_region": TIMED_REGION.format(form=form),
        "clock": CLOCK,
    }


def rates(measurement: Any, samples_ms: list[float]) -> dict[str, float]:
    """Features and tokens of a second, of all that was timed."""
    return {
        "features_per_second": per_second(measurement.features, samples_ms),
        "useful_tokens_per_second": per_second(measurement.tokens, samples_ms),
        "computed_tokens_per_second": per_second(measurement.computed_tokens, samples_ms),
    }
