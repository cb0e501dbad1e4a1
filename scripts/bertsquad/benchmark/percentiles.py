"""Percentiles of independent samples with exact intervals, and none where there are too few.

An interval lies between two of the sorted samples: how many samples lie below the true percentile
is binomial, whatever their distribution, so the two ranks follow from n alone. With few samples no
rank is high enough: of 100 samples the slowest lies below the true p99 in more than a third of all
runs. Such a percentile has a lower end, but no value.

Source: Conover, "Practical Nonparametric Statistics", section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bertsquad.benchmark.statistics import percentile

PERCENTILES = (50, 90, 95, 99)
CONFIDENCE = 0.95
METHOD = "nearest rank; interval of 95 % between order statistics, for independent samples"


def needed(percent: float, confidence: float = CONFIDENCE) -> int:
    """The fewest samples with which a percentile has both ends of an interval: p50 6, p90 36, p95
    72, p99 368, p99.9 3,688. `percent` above 0 and below 100, else ValueError."""
    if not 0 < percent < 100:
        raise ValueError(f"percent is {percent}; expected more than 0 and less than 100")
    # All samples on one side of the percentile: the likelier side decides.
    share = max(percent, 100 - percent) / 100
    return math.ceil(math.log((1 - confidence) / 2) / math.log(share))


def interval(
    samples: Sequence[float], percent: float, confidence: float = CONFIDENCE
) -> tuple[float | None, float | None]:
    """The ends between which the true percentile lies with at least that probability; an end that
    so few samples cannot give is None. ValueError when there are no samples."""
    from scipy.stats import quantile_test

    if not len(samples):
        raise ValueError("no samples: an interval needs at least one")
    found = quantile_test(samples, p=percent / 100).confidence_interval(confidence)
    low, high = (None if math.isnan(end) else float(end) for end in found)
    return low, high


def estimate(samples: Sequence[float], percent: int) -> dict[str, Any]:
    """A percentile as a result holds it: `value`, `low` and `high` in the samples' unit, `method`.
    Where there are too few samples `value` and `high` are None, and `needs` says how many would do.
    """
    return with_ends(samples, percent, interval(samples, percent), METHOD)


def with_ends(
    samples: Sequence[float],
    percent: int,
    ends: tuple[float | None, float | None],
    method: str,
) -> dict[str, Any]:
    """What `estimate` gives, where the interval has these ends and was found by this method."""
    needs = needed(percent)
    enough = len(samples) >= needs
    return {
        "value": percentile(samples, percent) if enough else None,
        "low": ends[0],
        "high": ends[1] if enough else None,
        "method": method,
        **({} if enough else {"needs": needs}),
    }


def summarize(samples: Sequence[float]) -> dict[str, Any]:
    """Estimates p50, p90, p95 and p99; `mean`, `min` and `max` in the samples' unit; `n`."""
    return {
        **{f"p{percent}": estimate(samples, percent) for percent in PERCENTILES},
        "mean": math.fsum(samples) / len(samples),
        "min": min(samples),
        "max": max(samples),
        "n": len(samples),
    }


def in_words(latency: Mapping[str, Any], digits: int = 1) -> str:
    """A latency summary in milliseconds as one line says it: the median, and p99 or, of too few
    requests, the slowest."""
    median, tail = latency["p50"]["value"], latency["p99"]["value"]
    parts = [] if median is None else [f"p50 {median:.{digits}f} ms"]
    if tail is not None:
        parts.append(f"p99 {tail:.{digits}f} ms")
    else:
        parts.append(f"slowest of {latency['n']} {latency['max']:.{digits}f} ms")
    return ", ".join(parts)
