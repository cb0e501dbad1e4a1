"""A run under load beside its twin: the queue computed on the same arrivals.

Two questions. With the run's own services, is every latency the one of first come, first served?
That tests the lanes. And does p99 follow from services by length, measured with all lanes busy and
corrected for the load? That tests the prediction, which a plan is made by.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertsquad.benchmark.lanes import Schedule
from bertsquad.benchmark.samples import Samples
from bertsquad.benchmark.services import Services
from bertsquad.benchmark.tickets import take
from bertsquad.benchmark.twin import fcfs

PERCENTILE = 99
DRAWS = 200
MOST_DIFFERENCE_MS = 2.0  # of p99 of |measured - own|: more is the lanes' doing, not the queue's
MOST_KAPPA = 0.10


@dataclass(frozen=True, slots=True)
class Predicted:
    """p99 of a schedule by services that were drawn: the median of many draws, and where 95 % of
    them lie; seconds."""

    value: float
    low: float
    high: float

    def describe(self) -> dict[str, float]:
        return {"value": 1000 * self.value, "low": 1000 * self.low, "high": 1000 * self.high}


def predict(
    schedule: Schedule, services: Services, lanes: int, draws: int = DRAWS, seed: int = 0
) -> Predicted:
    """What p99 will be, from services by length."""
    found = []
    for number in range(draws):
        random = np.random.default_rng([seed, number])
        if schedule.max_tokens is None:
            drawn = services.draw(schedule.tokens, random)
            latencies = fcfs(schedule.due_ns / 1e9, drawn, lanes)
        else:
            latencies = batched(schedule, services, lanes, random)
        found.append(_percentile(latencies))
    low, middle, high = np.percentile(found, [2.5, 50, 97.5])
    return Predicted(float(middle), float(low), float(high))


def batched(
    schedule: Schedule, services: Services, lanes: int, random: np.random.Generator
) -> np.ndarray:
    """Latencies, seconds, where a free lane takes a batch by the rule of tickets.take and its
    service is that of so many tokens. [requests]"""
    due, tokens = (schedule.due_ns / 1e9).tolist(), schedule.tokens.tolist()
    residuals = services.draw_residuals(len(schedule), random)
    free = [0.0] * lanes
    ends = np.empty(len(schedule))
    first, before = 0, 0.0
    while first < len(due):
        lane = free.index(min(free))
        now = max(free[lane], before)
        count, begin = take(due, tokens, first, now, schedule.max_tokens, schedule.wait_ns / 1e9)
        total = np.array([sum(tokens[first : first + count])])
        free[lane] = begin + float(services.expected(total)[0] * residuals[first])
        ends[first : first + count] = free[lane]
        first, before = first + count, begin
    latencies: np.ndarray = ends - schedule.due_ns / 1e9
    return latencies


def own_latencies(samples: Samples, schedule: Schedule, lanes: int) -> np.ndarray:
    """Latencies, seconds, by first come, first served of the batches as they were, with the
    services that they had. [requests]"""
    firsts = samples.firsts
    counts = np.diff([*firsts, len(samples)])
    due, tokens = schedule.due_ns.tolist(), schedule.tokens.tolist()
    ready = []
    for first, count in zip(firsts.tolist(), counts.tolist(), strict=True):
        last = due[first + count - 1]
        same, begin = take(due, tokens, first, last, schedule.max_tokens, schedule.wait_ns)
        ready.append(begin if same == count else last)
    arrivals = np.maximum.accumulate(np.array(ready) / 1e9)
    ends = arrivals + fcfs(arrivals, samples.service_ms / 1000, lanes)
    latencies: np.ndarray = np.repeat(ends, counts) - samples.due_ns / 1e9
    return latencies


def inflation(samples: Samples, services: Services) -> float:
    """The services of this run over those of the same lengths in `services`, both as means."""
    expected = services.expected(samples.batch_tokens) * services.residuals.mean()
    return float(samples.service_ms.sum() / 1000 / expected.sum())


def compare(samples: Samples, schedule: Schedule, services: Services, lanes: int) -> dict[str, Any]:
    """`verdict` fits or refuted, with `reasons`; what served_cell.TwinFacts says. `services` are
    those with all lanes busy."""
    measured = _percentile(samples.latency_ms)
    own = own_latencies(samples, schedule, lanes)
    difference = np.abs(samples.latency_ms - 1000 * own)
    factor = inflation(samples, services)
    at_load = predict(schedule, services.times(factor), lanes)
    kappa = math.log(measured / (1000 * at_load.value))
    most = _percentile(difference)
    reasons = []
    if most > MOST_DIFFERENCE_MS:
        reasons.append(
            f"latencies differ from first come, first served by {most:.1f} ms (p99), more than "
            f"{MOST_DIFFERENCE_MS:g}"
        )
    if not at_load.low <= measured / 1000 <= at_load.high:
        low, high = 1000 * at_load.low, 1000 * at_load.high
        reasons.append(f"p99 {measured:.1f} ms, predicted {low:.1f} to {high:.1f}")
    if abs(kappa) > MOST_KAPPA:
        reasons.append(f"p99 is {math.exp(kappa):.2f} times the predicted one")
    return {
        "verdict": "refuted" if reasons else "fits",
        "reasons": reasons,
        "difference_ms": {"p50": float(np.median(difference)), "p99": most},
        "p99_ms": {
            "measured": measured,
            "own": 1000 * _percentile(own),
            "saturated": predict(schedule, services, lanes).describe(),
            "at_load": at_load.describe(),
        },
        "kappa": kappa,
        "inflation": factor,
    }


def _percentile(values: np.ndarray) -> float:
    return float(np.percentile(values, PERCENTILE, method="inverted_cdf"))
