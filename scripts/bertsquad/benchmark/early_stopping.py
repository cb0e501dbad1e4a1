"""MLPerf's estimate of a percentile, to stand beside ours: it assumes independent requests.

Source: MLPerf LoadGen, early_stopping.cc, and the rules' section on early stopping: with
confidence 99 %, the sample above which as many lie as one may see by chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LABEL = "MLPerf's early-stopping estimate; assumes independent requests"
_MISSED = 0.01  # probability that the true percentile is above the estimate


def overlatency(requests: int, percent: float) -> int:
    """How many of so many requests may be slower than the estimate: LoadGen's t, 0 where even one
    is too many. p99 takes 662 requests, p90 64, p99.9 6,636."""
    from scipy.stats import binom

    counts = np.arange(requests + 1)
    allowed = counts[binom.cdf(counts, requests, 1 - percent / 100) < _MISSED]
    return int(allowed.max(initial=0))


def estimate(samples: Sequence[float], percent: float) -> float | None:
    """The latency that MLPerf would report; None for too few requests."""
    slower = overlatency(len(samples), percent)
    return float(sorted(samples)[len(samples) - slower]) if slower else None
