"""Which of two sides is faster, or that the rounds so far cannot tell.

Both sides run once in every round, in an order drawn by chance. If they are equally fast, the
logarithm of a round's ratio is as likely above zero as below it, whatever the noise is like. So the
test of the signs and ranks of these logarithms is exact; nothing is assumed of their distribution.

Source: Hollander, Wolfe and Chicken, "Nonparametric Statistical Methods", sections 3.1 to 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Word = Literal["faster", "slower", "same", "cannot tell"]

# Rounds after which the samples may be looked at. Each look may be wrong by chance in a third of
# ERROR_RATE (Bonferroni), so that all of them together are wrong in at most ERROR_RATE.
LOOKS = (8, 16, 32)
ERROR_RATE = 0.05
LEVEL = 1 - ERROR_RATE / len(LOOKS)

# Ratios that nobody would act on: an interval between 1 / (1 + SAME_WITHIN) and its inverse.
SAME_WITHIN = 0.01

# Rounds of +x and -x cancel to 0 up to rounding, which is not a difference.
ROUNDING = 1e-12

# z(LEVEL) + z(power 0.8), over the root of the test's efficiency under normal noise, 0.955.
ROUNDS_NEEDED = 3.4


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rounds say of one side's rate over another's."""

    word: Word
    ratio: float  # Hodges-Lehmann: the median of the means of all pairs of rounds
    low: float  # of the interval that holds the true ratio with probability `level`; 0 if unbounded
    high: float  # inf if unbounded: fewer than 7 rounds bound nothing at this level
    rounds: int
    would_need: int | None  # rounds that would decide, by these rounds' noise; None: decided


def level_of(looks: int) -> float:
    """The probability of the interval at each of so many looks (Bonferroni)."""
    return 1 - ERROR_RATE / looks


def verdict(
    ratios: Sequence[float], same_within: float = SAME_WITHIN, level: float = LEVEL
) -> Verdict:
    """The verdict on ratios, one a round, of our rate over the other's, all above 0.

    `same` wins over `faster` and `slower`: a difference that is sure and too small is no difference
    to act on. `level` is the probability of the interval, `level_of` the looks. ValueError without
    ratios.
    """
    if not ratios:
        raise ValueError("no rounds: a verdict needs ratios")
    logs = np.log(np.asarray(ratios, dtype=float))
    averages = walsh_averages(logs)
    middle = float(np.median(averages))
    low, high = _interval(averages, len(logs), level)
    margin = math.log1p(same_within)
    word: Word = "cannot tell"
    if -margin <= low and high <= margin:
        word = "same"
    elif low > ROUNDING:
        word = "faster"
    elif high < -ROUNDING:
        word = "slower"
    needed = _rounds_needed(logs, middle) if word == "cannot tell" else None
    return Verdict(word, math.exp(middle), math.exp(low), math.exp(high), len(logs), needed)


def difference_seen(sd: float, rounds: int) -> float:
    """The difference of logarithms that so many rounds find in four of five cases; `sd`: the
    standard deviation of the logarithm of a round's ratio."""
    return ROUNDS_NEEDED * sd / math.sqrt(rounds)


def walsh_averages(values: np.ndarray) -> np.ndarray:
    """The means of all pairs of values, each with itself too, in rising order."""
    pairs = np.add.outer(values, values)[np.triu_indices(len(values))]
    return np.sort(pairs / 2)


def signed_rank_counts(rounds: int) -> np.ndarray:
    """How many of the 2^rounds patterns of signs give each sum of the positive ranks, from 0 on.

    float64, which holds them exactly up to 53 rounds.
    """
    counts = np.ones(1)
    for rank in range(1, rounds + 1):
        counts = np.pad(counts, (0, rank)) + np.pad(counts, (rank, 0))
    return counts


def _interval(averages: np.ndarray, rounds: int, level: float) -> tuple[float, float]:
    """Of the logarithm, exact: between order statistics of the Walsh averages."""
    below = np.cumsum(signed_rank_counts(rounds)) / 2.0**rounds
    # How many of the smallest averages, and of the greatest, may be left out.
    left_out = int(np.searchsorted(below, (1 - level) / 2, side="right"))
    if left_out == 0:
        return -math.inf, math.inf
    return float(averages[left_out - 1]), float(averages[-left_out])


def _rounds_needed(logs: np.ndarray, middle: float) -> int | None:
    """By the noise of these rounds; None where they show neither difference nor noise."""
    if len(logs) < 2 or middle == 0:
        return None
    needed = (ROUNDS_NEEDED * float(np.std(logs, ddof=1)) / middle) ** 2
    return max(len(logs) + 1, math.ceil(needed)) if math.isfinite(needed) else None
