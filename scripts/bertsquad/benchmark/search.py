"""The highest rate whose p99 stays within an SLO: computed by the twin, then confirmed by running.

Bisecting on measured percentiles takes six to eight long runs, and each is off by the noise of a
percentile. Here the twin says where to look, a probe or two say how much faster services are at
that load, and one run with a seed of its own confirms.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from bertsquad.benchmark import twin_check
from bertsquad.benchmark.arrivals import make_arrivals
from bertsquad.benchmark.lanes import Schedule
from bertsquad.benchmark.services import Services, fit
from bertsquad.benchmark.serving import Run, Serving
from bertsquad.benchmark.twin import fcfs

PERCENTILE = 99
CLOSE = 0.03  # two rates that differ by less are one
MOST_PROBES = 4
STEP = 0.03  # down from a rate that was not confirmed
MOST_STEPS = 2
PROBE_S = 30.0
PROBE_REQUESTS = 368  # that p99 takes
MOST_S = 600.0  # of all runs of a search, or as long as MOST_RUNS of the configured length
MOST_RUNS = 10
_STREAMS, _ARRIVALS, _WARM_UP = 4, 25_000, 500
_BLOCKS, _RESAMPLES, _RESAMPLED_ARRIVALS = 20, 60, 20_000
_TO = 0.005  # precision of a rate, relative
_WHERE_INFEASIBLE = 0.3  # share of the capacity of the run that shows what the latencies are

Status = Literal["confirmed", "unconfirmed", "infeasible"]


@dataclass(frozen=True, slots=True)
class Probe:
    """What a run at a rate was like; p99 and twin_p99 in ms."""

    rate: float
    n: int
    p99: float
    twin_p99: float
    kappa: float
    twin: str  # "fits" or "refuted"
    inflation: float


@dataclass(frozen=True, slots=True)
class Found:
    """`rate` by the twin; `rate_confident` what was run and, where confirmed, met the SLO; 0 where
    the services are known too little for any rate to be sure, and nothing was run for it.
    `stopped`: which run there was no time for; "" where there was time for all."""

    status: Status
    rate: float
    rate_confident: float
    probes: tuple[Probe, ...]
    stopped: str = ""


def find_rate(
    slo_ms: float,
    highest: Callable[[float], float],
    margin: float,
    run: Callable[[float, int, bool], Probe],
    no_time: Callable[[float, bool], str] = lambda rate, last: "",
) -> Found:
    """Look for the rate. `highest(inflation)` is the twin's, 0 where none meets the SLO; `margin`
    at most 1, its lower confidence bound over itself; `run(rate, seed, last)` measures, for longer
    where it is to be the last; `no_time(rate, last)` says why there is no time for that, "" where
    there is."""
    rate, probes = highest(1.0), list[Probe]()
    if rate <= 0:
        return Found("infeasible", 0.0, 0.0, ())
    while len(probes) < MOST_PROBES:
        if stopped := no_time(rate, False):
            return Found("unconfirmed", rate, 0.0, tuple(probes), stopped)
        probes.append(run(rate, len(probes), False))
        before, rate = rate, highest(probes[-1].inflation)
        if rate <= 0:
            return Found("infeasible", 0.0, 0.0, tuple(probes))
        if abs(rate / before - 1) <= CLOSE:
            break
    confident = rate * margin
    if confident <= 0:
        return Found("unconfirmed", rate, 0.0, tuple(probes))
    for step in range(MOST_STEPS + 1):
        if stopped := no_time(confident, True):
            return Found("unconfirmed", rate, confident, tuple(probes), stopped)
        probes.append(run(confident, MOST_PROBES + step, True))
        if probes[-1].p99 <= slo_ms and probes[-1].twin == "fits":
            return Found("confirmed", rate, confident, tuple(probes))
        if step < MOST_STEPS:
            confident *= 1 - STEP
    return Found("unconfirmed", rate, confident, tuple(probes))


def search(
    serving: Serving, saturated: Run, services: Services, slo_ms: float
) -> tuple[Run, float, dict[str, Any]]:
    """Of a layout that is loaded and was saturated: the last run, its rate, and a cell's `slo` and
    `search`."""
    runs: list[Run] = []
    lanes, seed = serving.layout.lanes, serving.settings.workload_seed
    budget_s, begin = max(MOST_S, MOST_RUNS * serving.settings.seconds), time.monotonic()

    def requests_of(rate: float, last: bool) -> int:
        if last:
            return serving.requests(rate)
        return max(PROBE_REQUESTS, int(rate * min(PROBE_S, serving.settings.seconds)))

    def no_time(rate: float, last: bool) -> str:
        left = budget_s - (time.monotonic() - begin)
        return too_long(rate, requests_of(rate, last), left, budget_s)

    def run(rate: float, number: int, last: bool) -> Probe:
        done = serving.serve(rate, seed_of(seed, number), requests_of(rate, last))
        runs.append(done)
        found = twin_check.compare(done.samples, done.schedule, services, lanes)
        return Probe(
            rate,
            len(done.samples),
            found["p99_ms"]["measured"],
            found["p99_ms"]["at_load"]["value"],
            found["kappa"],
            found["verdict"],
            found["inflation"],
        )

    def highest(by: Services, arrivals: int = _ARRIVALS, streams: int = _STREAMS) -> float:
        return highest_rate(serving, by, slo_ms / 1000, streams, arrivals)

    point = highest(services, _RESAMPLED_ARRIVALS, 2)
    margin = 1.0
    if point > 0:
        others = [highest(each, _RESAMPLED_ARRIVALS, 2) for each in resampled(saturated, seed)]
        margin = min(1.0, float(np.percentile(others, 2.5)) / point)
    found = find_rate(
        slo_ms, lambda inflation: highest(services.times(inflation)), margin, run, no_time
    )
    if found.stopped:
        serving.tell(f"the search ends unconfirmed: {found.stopped}", 0, 1)
    if found.status != "infeasible" and found.probes:
        rate = found.probes[-1].rate
    else:  # what latencies are, all the same, by as many requests as there is time for
        rate = _WHERE_INFEASIBLE * lanes / float(services.expected(serving.lengths).mean())
        requests = min(serving.requests(rate), max(1, int(rate * budget_s)))
        runs.append(serving.serve(rate, seed, requests))
    return runs[-1], rate, _described(found, margin, runs[-1].samples.latency_ms, slo_ms)


def _described(found: Found, margin: float, latencies: np.ndarray, slo_ms: float) -> dict[str, Any]:
    """A cell's `slo` and `search`; `latencies` of the last run, ms."""
    p99 = float(np.percentile(latencies, PERCENTILE, method="inverted_cdf"))
    return {
        "slo": {
            "ms": slo_ms,
            "percentile": PERCENTILE,
            "met": p99 <= slo_ms,
            "exceed_share": float(np.mean(latencies > slo_ms)),
        },
        "search": {
            "status": found.status,
            "rate": found.rate,
            "rate_confident": found.rate_confident,
            "margin": margin,
            "probes": [asdict(probe) for probe in found.probes],
            "stopped": found.stopped,
        },
    }


def too_long(rate: float, requests: int, left_s: float, budget_s: float) -> str:
    """Why there is no time for a run of so many requests at a rate, "" where there is: a low rate
    takes long to bring the requests that a percentile needs."""
    takes_s = requests / rate
    if takes_s <= left_s:
        return ""
    return (
        f"{requests} requests at {rate:.3g} a second take {takes_s:.0f} s, of {budget_s:.0f} s "
        f"{max(left_s, 0.0):.0f} are left; give the scenario more seconds or fewer requests"
    )


def seed_of(workload_seed: int, number: int) -> int:
    """Of a search's run: no other run of it, or of another repeat's, has the same arrivals, and no
    computed stream, whose seeds are small numbers."""
    return 1000 * (workload_seed + 1) + number


def resampled(saturated: Run, seed: int) -> list[Services]:
    """Services as they would be of another run: blocks of time drawn with replacement."""
    tokens, services = saturated.services()
    blocks = np.array_split(np.arange(len(services)), _BLOCKS)
    random = np.random.default_rng([seed, 6])
    found = []
    for _ in range(_RESAMPLES):
        chosen = np.concatenate([blocks[n] for n in random.integers(0, _BLOCKS, _BLOCKS)])
        if len(chosen):
            found.append(fit(tokens[chosen], services[chosen]))
    return found


def highest_rate(
    serving: Serving, services: Services, slo_s: float, streams: int, arrivals: int
) -> float:
    """The twin's highest rate of the configured arrivals within the SLO; 0 where there is none.
    Requests one at a time never come faster than all lanes serve them: the queue would grow without
    end, though a short run may stay within a long SLO."""

    def p99(rate: float) -> float:
        """With the same random numbers at every rate, so that it rises without noise."""
        found = []
        for stream in range(streams):
            latencies = _latencies(serving, services, rate, arrivals, stream)
            found.append(latencies[min(_WARM_UP, len(latencies) // 2) :])  # a trace may be short
        together = np.concatenate(found)
        return float(np.percentile(together, PERCENTILE, method="inverted_cdf"))

    service = float(services.expected(serving.lengths).mean() * services.residuals.mean())
    top = serving.layout.lanes / service
    if serving.settings.max_tokens is not None:
        top *= 2  # a batch takes less than its requests one by one
    return highest_below(p99, slo_s, top)


def highest_below(p99: Callable[[float], float], slo_s: float, top: float) -> float:
    """The highest rate up to `top` at which p99 is at most the SLO, to half a per cent and from
    below; 0 where it is more even at a thousandth of `top`."""
    low, high = top / 1000, top
    if p99(low) > slo_s:
        return 0.0
    while high > low * (1 + _TO):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if p99(middle) <= slo_s else (low, middle)
    return low


def _latencies(
    serving: Serving, services: Services, rate: float, arrivals: int, stream: int
) -> np.ndarray:
    """Seconds, of one computed stream."""
    settings = serving.settings
    due = make_arrivals(rate, arrivals + _WARM_UP, stream, **settings.arrivals)
    random = np.random.default_rng([stream, 7])
    features = random.integers(0, len(serving.lengths), len(due))
    tokens = serving.lengths[features].astype(np.int64)
    schedule = Schedule((due * 1e9).astype(np.int64), features, tokens)
    if settings.max_tokens is not None:
        batches = Schedule(
            schedule.due_ns,
            features,
            tokens,
            max_tokens=settings.max_tokens,
            wait_ns=int(settings.wait_ms * 1e6),
        )
        return twin_check.batched(batches, services, serving.layout.lanes, random)
    drawn = services.draw(tokens, random)
    return fcfs(due, drawn, serving.layout.lanes)
