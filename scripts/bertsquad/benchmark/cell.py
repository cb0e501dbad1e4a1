"""One measured cell as JSON: how it was taken, the raw samples, and what follows from them."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bertsquad.benchmark.statistics import per_second

_CLOCK = "time.perf_counter_ns; Python's garbage collector off in all that is timed"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a cell was asked to measure."""

    engine: str
    precision: str
    scenario: str  # the configuration's name for it
    mode: str  # a name in bertsquad.benchmark.modes
    padding: str  # "max_length" | "none"
    batch_size: int | None  # None: as the engine plans
    threads: int
    threads_requested: str  # a number, or "all", which `threads` resolves
    repeat: int  # counts repeats of the same cell, from 1
    warmup_iterations: int
    iterations: int  # batches, or passes over the whole set
    workload_seed: int
    count: int | None = None  # features (offline) or questions (end_to_end) at hand, at most
    seconds: float | None = None  # the budget; `iterations` and `count` are then what fitted


@dataclass(frozen=True, slots=True)
class Sources:
    """The files behind a cell."""

    model: Path
    features: Path
    dataset: Path | None = None  # end_to_end only: the JSON that the features were made from
    quantized: Path | None = None  # int8 only: the folder that quantize.py made


def describe_cell(
    settings: Settings,
    measurement: Any,
    samples_ms: list[float],
    *,
    timed_region: str,
    counted: Any = None,
    **facts: Any,
) -> dict[str, Any]:
    """The JSON of a cell of any mode; `facts` are a mode's own.

    Rates count the time inside the clock only: features, or tokens, divided by the sum of the
    samples. Where not all that was timed counts, `samples_ms` are those that do, and `counted` is
    the measurement of them alone.
    """
    counted = counted or measurement
    return {
        **asdict(settings),
        **asdict(measurement),
        **facts,
        "features_per_second": per_second(counted.features, samples_ms),
        "useful_tokens_per_second": per_second(counted.tokens, samples_ms),
        "computed_tokens_per_second": per_second(counted.computed_tokens, samples_ms),
        "timed_region": timed_region,
        "clock": _CLOCK,
    }
