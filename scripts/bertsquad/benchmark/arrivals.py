"""When the requests of an open loop are due: the whole schedule, made before the clock starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.console.errors import UserError


def make_arrivals(rate: float, requests: int, seed: int, kind: str, **shape: Any) -> np.ndarray:
    """Seconds of so many requests by the name of a kind and what it takes; a trace has as many as
    its file holds, at most. ValueError for a number that is out of range."""
    if kind == "constant":
        return constant(rate, requests)
    if kind == "trace":
        return trace(rate, requests, **shape)
    kinds: Mapping[str, Callable[..., np.ndarray]] = {
        "poisson": poisson,
        "gamma": gamma,
        "on_off": on_off,
    }
    return kinds[kind](rate, requests, seed, **shape)


def trace(rate: float, requests: int, file: str) -> np.ndarray:
    """The first arrivals of a file, which has a number a line, ascending; stretched so that they
    are `rate` a second on average. UserError for another file."""
    _check_rate(rate)
    times = read_trace(file)[:requests]
    if times[-1] == times[0]:
        raise UserError(
            f"{file}: the first {len(times):,} arrivals are at one time, so they have no rate; "
            "expected different times, or more requests"
        )
    stretched: np.ndarray = (times - times[0]) * (len(times) - 1) / (times[-1] - times[0]) / rate
    return stretched


def read_trace(file: str) -> np.ndarray:
    """Arrivals of a trace in its own unit. UserError for less than two different ones."""
    try:
        lines = Path(file).read_text(encoding="utf-8").split()
        times = np.array(lines, np.float64)
    except (UnicodeDecodeError, ValueError) as error:
        raise UserError(
            f"{file}: not a trace ({error}); expected a number of seconds a line"
        ) from (None)
    if not np.all(np.isfinite(times)) or np.any(np.diff(times) < 0):
        raise UserError(f"{file}: arrivals are not ascending; sort them")
    if len(times) < 2 or times[-1] == times[0]:
        raise UserError(f"{file}: {len(times)} arrivals; expected two or more, at different times")
    return times


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
