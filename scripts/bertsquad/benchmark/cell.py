"""One measured cell as JSON: how it was taken, the raw samples, and what follows from them."""

from dataclasses import asdict, dataclass
from typing import Any

from bertsquad.benchmark.scenario import TIMED_REGION, Measurement
from bertsquad.benchmark.statistics import per_second, summarize


@dataclass(frozen=True, slots=True)
class Settings:
    """What a cell was asked to measure."""

    engine: str
    precision: str
    scenario: str  # the configuration's name for it
    padding: str  # "max_length" | "none"
    batch_size: int
    threads: int
    threads_requested: str  # a number, or "all", which `threads` resolves
    repeat: int  # counts repeats of the same cell, from 1
    warmup_iterations: int
    iterations: int
    workload_seed: int


def describe_cell(
    settings: Settings, measurement: Measurement, surroundings: dict[str, Any]
) -> dict[str, Any]:
    """A cell's JSON. `surroundings` is what else was true: native, versions, cpu, started_at, ...

    Throughput counts the time inside the clock only: features (or real tokens) of all timed
    batches, divided by the sum of the samples.
    """
    samples = measurement.latency_samples_ms
    form = "padded" if settings.padding == "max_length" else "packed"
    return {
        **asdict(settings),
        **asdict(measurement),
        **surroundings,
        "latency_ms": summarize(samples),
        "features_per_second": per_second(measurement.features, samples),
        "useful_tokens_per_second": per_second(measurement.tokens, samples),
        "computed_tokens_per_second": per_second(measurement.computed_tokens, samples),
        "percentiles": "nearest rank: the smallest sample not exceeded by p % of the samples",
        "timed_region": TIMED_REGION.format(form=form),
        "clock": "time.perf_counter_ns; Python's garbage collector off in the timed batches",
    }
