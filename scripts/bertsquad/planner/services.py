"""How long a request takes: its service by length, fitted to those that were measured.

A service is f(length) x u. f is a quadratic, since attention grows with the square of the length
and all else with the length itself; u is what the measured services deviate from it by. So services
of other lengths than those measured can be drawn, and a few hundred requests say more of the tail
than their own percentiles would. u keeps the order of time: a machine that is slow for a while is
so for many requests in a row, and a queue is the longer for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bertsquad.benchmark.twin import block_of
from bertsquad.planner.spread import UNKNOWN, Spread

BLOCKS = 20  # of successive requests, resampled whole: neighbours in time are alike
POOL = 20_000  # services that stand for those of a mix of lengths
_STEPS = 5  # of reweighting; three settle it to 6 digits
_LEAST = 0.1  # of the shortest measured service: the fit gives no less


@dataclass(frozen=True, slots=True)
class Services:
    """Measured requests in the order of time: word pieces int64[n], and seconds float64[n].

    ValueError for none of them, other shapes, or a service that is not above 0.
    """

    lengths: np.ndarray
    seconds: np.ndarray
    spread: Spread = UNKNOWN  # of processes, which requests of one of them do not tell

    def __post_init__(self) -> None:
        if self.lengths.shape != self.seconds.shape or self.lengths.ndim != 1:
            raise ValueError(f"{self.lengths.shape} lengths, {self.seconds.shape} services")
        if not len(self.seconds) or not np.all(self.seconds > 0):
            raise ValueError("services are to be above 0 s, and at least one of them")

    def resampled(self, random: np.random.Generator) -> Services:
        """As if these processes were measured again: so many blocks, drawn with replacement."""
        blocks = np.array_split(np.arange(len(self.seconds)), min(BLOCKS, len(self.seconds)))
        drawn = random.integers(len(blocks), size=len(blocks))
        taken = np.concatenate([blocks[number] for number in drawn])
        return Services(self.lengths[taken], self.seconds[taken])

    def again(self, random: np.random.Generator) -> Services:
        """As if one more process was measured."""
        return self.resampled(random).times(self.spread.factor(random))

    def times(self, factor: float) -> Services:
        """All of them so many times as long."""
        return replace(self, seconds=factor * self.seconds)

    def fit(self) -> Fit:
        """f by least squares of relative errors: weights 1/f², found in turn with f."""
        scale = float(np.max(self.lengths))
        columns = np.vander(self.lengths / scale, 3, increasing=True)
        least = _LEAST * float(np.min(self.seconds))
        fitted = np.full_like(self.seconds, float(np.mean(self.seconds)))
        coefficients = np.zeros(3)
        for _ in range(_STEPS):
            weighted = columns / fitted[:, None]
            coefficients = np.linalg.lstsq(weighted, self.seconds / fitted, rcond=1e-9)[0]
            fitted = np.maximum(columns @ coefficients, least)
        return Fit(coefficients / scale ** np.arange(3), self.seconds / fitted, least)


@dataclass(frozen=True, slots=True)
class Fit:
    """f(length) = c0 + c1 length + c2 length², seconds, and the ratios of what was measured."""

    coefficients: np.ndarray  # float64[3]
    ratios: np.ndarray  # float64[n], u of each measured request, in the order of time
    least: float  # seconds

    @property
    def block(self) -> int:
        """How many successive requests are drawn together."""
        return block_of(len(self.ratios))

    def of(self, lengths: np.ndarray) -> np.ndarray:
        """f of each length: float64, seconds."""
        powers = np.asarray(lengths, np.float64)[:, None] ** np.arange(3)
        fitted: np.ndarray = np.maximum(powers @ self.coefficients, self.least)
        return fitted

    def pool(self, lengths: np.ndarray, size: int = POOL, seed: int = 0) -> np.ndarray:
        """`size` services of these lengths, float64 seconds: every length as often as the others,
        paired by chance with the ratios, which follow each other as they were measured. The same
        for the same arguments."""
        random = np.random.default_rng([seed, 4])
        drawn = np.resize(random.permutation(lengths), size)
        services: np.ndarray = self.of(drawn) * np.resize(self.ratios, size)
        return services
