"""What the file of a cell under load holds (modes `saturated` and `server`).

Path: `{run}/{engine}-{precision}/benchmark/{scenario}/layout{layout}-{load}-repeat{r}.json`,
`layout` as 2x1x1 or auto; `load` one of `saturated`, `share0.7` (of the measured capacity),
`rate12.5` (requests a second), `slo300` (the highest rate whose p99 stays within so many ms).
Beside it `...-samples.npz`.
Scores are in metrics.json of the engine and precision, the machine in machine.json of the results.
Times are in ms, memory in MiB, rates in requests (features) a second.
"""

from __future__ import annotations

from typing import Any, TypedDict


class LayoutFacts(TypedDict):
    """Processes, their cores and what they hold in memory."""

    instances: int
    streams: int  # requests under way in each instance
    threads: int  # for one request
    cpus: list[list[int]]  # of each instance
    memory_nodes: list[list[int]]  # of each instance; empty: not bound
    not_bound: str | None  # why an instance is not kept to its cores or memory; None: it is
    pss_mib: float  # proportional set size of all instances together, after the warm-up
    peak_pss_mib: float  # the larger of that and the one after the run


class ServiceFacts(TypedDict):
    """Time of one request in a lane, by its length, while all lanes are busy."""

    coefficients: list[float]  # f(L) = c0 + c1 L + c2 L^2, ms; L: tokens of the request
    residuals: list[float]  # service / f(L): at most 500 quantiles of it, ascending
    residual_sd: float
    n: int
    lengths: list[int]  # tokens of at most 4,000 of them, in the order in which they were served
    service_ms: list[float]  # of the same
    mean_ms: float  # of the run that the cell is about
    inflation: float | None  # server: mean service at load over that of the same lengths here


class CapacityFacts(TypedDict):
    """What the layout does with every lane always busy."""

    features_per_second: float
    requests: int
    seconds: float
    validity: str  # server: valid, disturbed or invalid; of saturated it is the cell's own


class TwinFacts(TypedDict):
    """A server's run beside its queue, computed on the same arrivals (twin_check.py)."""

    verdict: str  # "fits" or "refuted"
    reasons: list[str]
    difference_ms: dict[str, float]  # |measured - computed from the run's own services|: p50, p99
    p99_ms: dict[str, Any]  # measured, own, saturated and at_load; the last two value, low, high
    kappa: float  # ln(measured / at_load)


class ServedCell(TypedDict, total=False):
    """The fields that other cells lack; the rest is as in cell.py."""

    layout: LayoutFacts
    service: ServiceFacts
    capacity: CapacityFacts
    steady: dict[str, Any]  # steady.Steady of the services with all lanes busy, in their order
    batching: dict[str, float] | None  # max_tokens, wait_ms
    requests: int
    arrivals: dict[str, Any]  # server: kind, rate, seed, share and what the kind takes
    latency_ms: dict[str, Any]  # server: from scheduled arrival to end; percentiles as in a cell
    wait_ms: dict[str, Any]  # server: from scheduled arrival to start
    slo: dict[str, Any]  # of load slo: ms, percentile, met, exceed_share
    search: dict[str, Any]  # of load slo: rate, rate_confident, status, probes, stopped
    twin: TwinFacts
    mlperf_estimate_ms: dict[str, Any]  # server: p99 (None of fewer than 662 requests), note
