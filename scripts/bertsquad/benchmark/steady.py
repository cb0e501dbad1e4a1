"""Whether a series of service times is steady: where it becomes so, whether it drifts, and whether
successive ones depend on each other. Pure functions of a series in the order of measuring.

Sources: truncation by White, "An effective truncation heuristic for bias reduction in simulation
output" (1997), MSER-5; the words for the classes by Barrett et al., "Virtual machine warmup blows
hot and cold" (2017); slopes by Theil and Sen (scipy.stats.theilslopes).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Class = Literal["flat", "warm-up", "slowdown", "no steady state"]

NEEDS = 100  # samples: five for each of the 20 blocks
_BATCH = 5  # of MSER-5
PHASE = 20  # samples in a row; what is slow by chance is so for single ones
BLOCKS = 20
MATTERS = 0.02  # a difference that a comparison is meant to see
# Not 0.05: among 30 cells that would call one or two unsteady by chance.
_ALPHA = 0.01
_DEPENDENT = 0.1  # rank correlation of neighbours


@dataclass(frozen=True, slots=True)
class Drift:
    """How much a series grows from its start to its end, as a share of its median."""

    share: float
    low: float  # of its 99 % interval
    high: float

    @property
    def matters(self) -> bool:
        """Whether it is beyond chance and large enough to change a result."""
        return abs(self.share) > MATTERS and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True)
class Steady:
    """What a series is like."""

    kind: Class
    dropped: int  # samples before it is steady
    drift: Drift  # of the rest
    phase: float  # of the rest: slowest_phase

    def describe(self) -> dict[str, Any]:
        """As a cell holds it."""
        drift = {"share": self.drift.share, "low": self.drift.low, "high": self.drift.high}
        found = {"class": self.kind, "dropped": self.dropped, "drift": drift}
        return found | {"slowest_phase": self.phase}


def truncation(values: np.ndarray) -> int | None:
    """How many samples of [n] to drop so that the mean of the rest has the smallest standard error:
    MSER-5, in steps of five. None where it would be half of them or more: no steady state."""
    means = _batch_means(values)
    most = len(means) // 2
    if most == 0:
        return 0
    rests = [means[dropped:] for dropped in range(most + 1)]
    errors = [float(((rest - rest.mean()) ** 2).sum()) / len(rest) ** 2 for rest in rests]
    best = int(np.argmin(errors))
    return None if best == most else _BATCH * best


def drift(values: np.ndarray) -> Drift:
    """The slope of the medians of 20 blocks of [n], n from 20, over the whole series."""
    from scipy.stats import theilslopes

    medians = block_medians(values)
    middle = float(np.median(values))
    slope, _, low, high = theilslopes(medians, alpha=1 - _ALPHA)
    share, least, most = (BLOCKS * float(each) / middle for each in (slope, low, high))
    return Drift(share, least, most)


def dependence(values: np.ndarray) -> float:
    """Spearman's rank correlation of each sample of [n] with the next; 0 where it may be chance
    (p not below 0.01) or matters little (not above 0.1), and of fewer than 20."""
    from scipy.stats import spearmanr

    if len(values) < BLOCKS or np.ptp(values) == 0:
        return 0.0
    found = spearmanr(values[:-1], values[1:])
    correlation = float(found.statistic)
    if math.isnan(correlation) or abs(correlation) <= _DEPENDENT or found.pvalue >= _ALPHA:
        return 0.0
    return correlation


def slowest_phase(values: np.ndarray) -> float:
    """How many times the median PHASE successive samples took, at most: 1.4 where the machine was
    slower for a while. `values` [n] above 0; geometric means, so that one sample weighs little."""
    logs = np.log(values / np.median(values))
    means = np.convolve(logs, np.ones(PHASE) / PHASE, "valid") if len(logs) >= PHASE else [0.0]
    return float(np.exp(np.max(means)))


def classify(values: np.ndarray) -> Steady | None:
    """The class of [n] service times, each divided by what one of its length takes. None of fewer
    than NEEDS."""
    if len(values) < NEEDS:
        return None
    dropped = truncation(values)
    if dropped is None:
        return Steady(_unless_equal_halves(values), 0, drift(values), slowest_phase(values))
    rest = values[dropped:]
    found, phase = drift(rest), slowest_phase(rest)
    if found.matters or _wanders(rest):
        return Steady("no steady state", dropped, found, phase)
    kind = _change(values[:dropped], rest)
    return Steady(kind, 0 if kind == "flat" else dropped, found, phase)


def block_medians(values: np.ndarray) -> np.ndarray:
    """The medians of 20 blocks of [n] successive samples, as equal as can be: [20]."""
    return np.array([np.median(block) for block in np.array_split(values, BLOCKS)])


def _batch_means(values: np.ndarray) -> np.ndarray:
    """Means of five samples each; what is left over at the end belongs to none."""
    whole = len(values) // _BATCH
    means: np.ndarray = np.reshape(values[: whole * _BATCH], (whole, _BATCH)).mean(axis=1)
    return means


def _unless_equal_halves(values: np.ndarray) -> Class:
    """Where the smallest error is at the last place that was tried: noise alone does that seldom,
    and then the halves are alike."""
    half = len(values) // 2
    alike = _change(values[:half], values[half:]) == "flat" and not _wanders(values)
    return "flat" if alike else "no steady state"


def _change(before: np.ndarray, after: np.ndarray) -> Class:
    """Whether what came first was slower (warm-up), faster (slowdown), or neither beyond chance."""
    from scipy.stats import mannwhitneyu

    if not len(before):
        return "flat"
    ratio = float(np.median(before) / np.median(after))
    if abs(ratio - 1) <= MATTERS or mannwhitneyu(before, after).pvalue >= _ALPHA:
        return "flat"
    return "warm-up" if ratio > 1 else "slowdown"


def _wanders(values: np.ndarray) -> bool:
    """Whether it goes up and down by more than chance, which means of five samples show that depend
    on their neighbours, and by more than matters over 20 blocks."""
    low, high = np.quantile(block_medians(values), (0.1, 0.9))
    large = (high - low) / np.median(values) > MATTERS
    return bool(large and dependence(_batch_means(values)) > 0)
