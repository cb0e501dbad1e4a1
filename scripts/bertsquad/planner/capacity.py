"""What one machine carries within the SLO: the twin of its measured services, with its bound."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bertsquad.benchmark.twin import Streams, TooSlowError, highest_rate, latency_percentile
from bertsquad.planner.demand import LengthClass
from bertsquad.planner.services import POOL, Fit, Services

# Of a plan: 200,000 arrivals leave p99 within about 1 %.
PLANNED = Streams(streams=5, arrivals=40_000)
# Of each of many draws, beside the same draw of the point.
DRAWN = Streams(streams=2, arrivals=20_000)
DRAWS = 100
FEWER_DRAWS = 40  # of several lanes, whose queue takes ten times as long to compute
_STEPS = 5  # of the secant at most, from the point's rate
_CLOSE = 0.002  # of the SLO: a percentile so near to it ends the search
_PROBE = 0.97  # of the point's rate: where the slope is taken


@dataclass(frozen=True, slots=True)
class Capacity:
    """Of one lane-sharing machine for a mix of classes. `rate` counts requests: windows."""

    alone_s: Mapping[str, float]  # percentile of the service alone, by class
    mean_s: Mapping[str, float]  # mean service, by class
    eligible: tuple[str, ...]  # classes that meet the SLO alone
    rate: float  # requests/s of the eligible classes within the SLO; 0 where there are none
    utilisation: float  # of the lanes, at that rate


def capacity(
    fit: Fit, classes: Mapping[str, LengthClass], lanes: int, slo_s: float, percentile: int
) -> Capacity:
    """What the fitted services carry, by simulation of Poisson arrivals."""
    pools = {name: fit.pool(each.lengths) for name, each in classes.items()}
    alone = {
        name: float(np.percentile(pool, percentile, method="inverted_cdf"))
        for name, pool in pools.items()
    }
    means = {name: float(np.mean(pool)) for name, pool in pools.items()}
    eligible = tuple(name for name, service in alone.items() if service <= slo_s)
    rate = utilisation = 0.0
    if eligible:
        pool = mixed(fit, classes, {name: classes[name].share for name in eligible})
        try:
            rate = highest_rate(pool, lanes, slo_s, percentile, PLANNED, fit.block)
        except TooSlowError:
            eligible = ()
        utilisation = min(rate * float(np.mean(pool)) / lanes, 1.0)
    return Capacity(alone, means, eligible, rate, utilisation)


def mixed(
    fit: Fit, classes: Mapping[str, LengthClass], shares: Mapping[str, float], size: int = POOL
) -> np.ndarray:
    """Services of a mix, float64 seconds: of each class as many as its share, in any order, beside
    ratios in the order of time (Fit.pool)."""
    total = sum(shares.values())
    random = np.random.default_rng([0, 9])
    lengths = [
        np.resize(random.permutation(classes[name].lengths), max(1, round(size * share / total)))
        for name, share in shares.items()
        if share > 0
    ]
    return fit.pool(np.concatenate(lengths), sum(map(len, lengths)))


def ratios(
    services: Services,
    classes: Mapping[str, LengthClass],
    shares: Mapping[str, float],
    lanes: int,
    slo_s: float,
    percentile: int,
    draws: int = DRAWS,
) -> np.ndarray:
    """How the highest rate of one more process would differ: float64[draws], 1 as measured, 0 where
    the service alone is too slow. By bootstraps of blocks of time, times what processes differ by,
    each compared with the measured services on the same arrivals."""
    fit = services.fit()
    base = mixed(fit, classes, shares)
    try:
        start = highest_rate(base, lanes, slo_s, percentile, DRAWN, fit.block)
    except TooSlowError:
        return np.zeros(draws)
    random = np.random.default_rng([0, 5])
    found = np.empty(draws)
    for draw in range(draws):
        pool = mixed(services.again(random).fit(), classes, shares)
        found[draw] = _rate_near(pool, lanes, slo_s, percentile, start, fit.block) / start
    return found


def _rate_near(
    pool: np.ndarray, lanes: int, slo_s: float, percentile: int, start: float, block: int = 1
) -> float:
    """The highest rate within the SLO, near `start`: by the secant of log latency over log rate.
    Where the answer is within some 10 %, two steps are exact to a fraction of a per cent."""
    if float(np.percentile(pool, percentile, method="inverted_cdf")) > slo_s:
        return 0.0
    most = 0.999 * lanes / float(np.mean(pool))

    def excess(rate: float) -> float:
        return math.log(latency_percentile(pool, lanes, rate, percentile, DRAWN, block) / slo_s)

    low, high = min(_PROBE * start, _PROBE * most), min(start, most)
    at_low, at_high = excess(low), excess(high)
    for _ in range(_STEPS):
        slope = (at_high - at_low) / math.log(high / low) if high != low else 0.0
        if slope <= 0 or abs(at_high) <= _CLOSE:
            break
        step = min(max(-at_high / slope, -0.5), 0.2)
        low, at_low = high, at_high
        high = min(high * math.exp(step), most)
        at_high = excess(high)
    return high if at_high <= 0.01 else min(low, high)
