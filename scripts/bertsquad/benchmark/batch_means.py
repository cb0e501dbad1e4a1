"""Percentiles of an open loop, with intervals that allow for requests that delay each other.

In a queue a slow request delays those behind it, so that samples are not independent: intervals
between order statistics then hold the true p99 in a third of all runs at utilisation 0.7, not in
95 % (tests/benchmark/test_batch_means.py). So the run is cut into batches of successive requests,
and the spread of how many of each exceed the percentile gives the interval.

Source: Law and Kelton, "Simulation Modeling and Analysis", batch means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bertsquad.benchmark.percentiles import CONFIDENCE, PERCENTILES, with_ends
from bertsquad.benchmark.statistics import percentile

BATCHES = 20
METHOD = f"nearest rank; interval of 95 % from {BATCHES} batch means, for requests that queue"


def interval(samples: Sequence[float], percent: int) -> tuple[float | None, float | None]:
    """The ends of a percentile of successive samples; an end that so few samples cannot give is
    None, and so are both below BATCHES samples."""
    from scipy.stats import t

    values = np.asarray(samples, np.float64)
    if len(values) < BATCHES:
        return None, None
    exceeds = values > percentile(values.tolist(), percent)
    means = [part.mean() for part in np.array_split(exceeds, BATCHES)]
    error = np.std(means, ddof=1) / BATCHES**0.5
    half = float(t.ppf((1 + CONFIDENCE) / 2, BATCHES - 1) * error)
    ordered = np.sort(values)
    share = percent / 100
    return _at(ordered, share - half), _at(ordered, share + half)


def estimate(samples: Sequence[float], percent: int) -> dict[str, Any]:
    """A percentile as percentiles.estimate has it: `value`, `low`, `high`, `method`, `needs`."""
    return with_ends(samples, percent, interval(samples, percent), METHOD)


def summarize(samples: Sequence[float]) -> dict[str, Any]:
    """What percentiles.summarize has, of the samples in order of their arrivals."""
    return {
        **{f"p{percent}": estimate(samples, percent) for percent in PERCENTILES},
        "mean": float(np.mean(samples)),
        "min": float(min(samples)),
        "max": float(max(samples)),
        "n": len(samples),
    }


def _at(ordered: np.ndarray, share: float) -> float | None:
    """The sample at this share, nearest rank; None outside 0 to 1, where there is none."""
    if not 0 < share < 1:
        return None
    return float(ordered[min(int(np.ceil(share * len(ordered))), len(ordered)) - 1])
