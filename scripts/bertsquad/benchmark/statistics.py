"""Percentiles and rates of raw samples; pure functions of lists of numbers.

Percentiles are nearest-rank: the smallest sample that at least p % of the samples do not exceed.
So every percentile is a latency that was really observed, one slow request cannot be smoothed
away by interpolation. From how many samples on one means something: percentiles.py.
"""

import math
from collections.abc import Sequence


def percentile(samples: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile, `percent` in 1..100. ValueError when there are no samples.

    By hand: NumPy's method "inverted_cdf" multiplies in floating point, where 0.07 * 100 is more
    than 7, and so takes the 8th of 100 samples for the 7th percentile.
    """
    if not samples:
        raise ValueError("no samples: a percentile needs at least one")
    if not 1 <= percent <= 100:
        raise ValueError(f"percent is {percent}; expected 1 to 100")
    rank = -(-percent * len(samples) // 100)  # the ceiling, in whole numbers
    return sorted(samples)[rank - 1]


def per_second(amount: float, samples_ms: Sequence[float]) -> float:
    """`amount` divided by the time of all samples together (milliseconds in, 1/s out)."""
    seconds = math.fsum(samples_ms) / 1000
    if seconds <= 0:
        raise ValueError("the samples took no time: nothing was measured")
    return amount / seconds
