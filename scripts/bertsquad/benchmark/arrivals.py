"""When the requests of an open loop are due: the whole schedule, made before the clock starts."""

from __future__ import annotations

import math

import numpy as np


def poisson(rate: float, requests: int, seed: int) -> np.ndarray:
    """Seconds at which independent users ask: [requests] float64, `rate` a second on average."""
    return np.cumsum(_random(rate, seed).exponential(1 / rate, requests))


def constant(rate: float, requests: int) -> np.ndarray:
    """Seconds of requests with equal gaps: [requests] float64, the first after one gap."""
    _check_rate(rate)
    return np.arange(1, requests + 1, dtype=np.float64) / rate


def gamma(rate: float, requests: int, seed: int, burstiness: float) -> np.ndarray:
    """Gaps of shape `burstiness` and mean 1 / rate, as in vLLM: 1 is Poisson, less is burstier."""
    _check_positive("burstiness", burstiness)
    gaps = _random(rate, seed).gamma(burstiness, 1 / (rate * burstiness), requests)
    return np.cumsum(gaps)


def on_off(
    rate: float, requests: int, seed: int, high: float, on_s: float, off_s: float
) -> np.ndarray:
    """Poisson arrivals, `high` times the rate for on_s, then fewer for off_s, `rate` on average.

    ValueError where the time on alone would bring more than the average.
    """
    _check_positive("on_s", on_s)
    _check_positive("off_s", off_s)
    _check_positive("high", high)
    period = on_s + off_s
    most = period / on_s
    if high > most:
        raise ValueError(f"high is {high}: at most {most:g}, (on_s + off_s) / on_s, keeps the rate")
    # A Poisson process of rate 1, of which each second passes at the speed of that moment's rate.
    events = np.cumsum(_random(rate, seed).exponential(1.0, requests))
    ends = np.array([0.0, high * rate * on_s, rate * period])
    periods, inside = np.divmod(events, rate * period)
    seconds: np.ndarray = periods * period + np.interp(inside, ends, [0.0, on_s, period])
    return seconds


def _random(rate: float, seed: int) -> np.random.Generator:
    _check_rate(rate)
    # 2: a stream of its own, apart from that which draws the requests' features.
    return np.random.default_rng([seed, 2])


def _check_rate(rate: float) -> None:
    _check_positive("rate", rate)


def _check_positive(name: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} is {value}: a number above 0 is expected")
