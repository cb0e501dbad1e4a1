"""How long a request takes by its length, from requests that were measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bertsquad.benchmark.twin import block_of, in_blocks

MOST_RESIDUALS = 500  # kept in a file, as quantiles
MOST_SERVICES = 4000  # kept in a file, evenly over the run
_ROUNDS = 10
_DEGREE = 2  # products grow with the length, attention with its square


@dataclass(frozen=True, slots=True)
class Services:
    """Service = f(length) x a residual, in seconds; f a polynomial, its coefficients from the
    constant up."""

    coefficients: np.ndarray  # float64[3]
    residuals: np.ndarray  # float64[n], of mean about 1
    # So many residuals in a row are drawn together, as they were measured; 1: they are in no order.
    block: int = 1

    def expected(self, lengths: np.ndarray) -> np.ndarray:
        """f of each length, seconds."""
        return _f(self.coefficients, lengths)

    def draw(self, lengths: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A service of each length, seconds."""
        drawn: np.ndarray = self.expected(lengths) * self.draw_residuals(len(lengths), random)
        return drawn

    def draw_residuals(self, count: int, random: np.random.Generator) -> np.ndarray:
        """So many of them: [count]."""
        return in_blocks(self.residuals, count, self.block, random)

    def times(self, factor: float) -> Services:
        """All services so many times as long."""
        return replace(self, coefficients=factor * self.coefficients)

    def describe(self) -> dict[str, Any]:
        """In ms, as a cell holds it."""
        shares = (np.arange(MOST_RESIDUALS) + 0.5) / MOST_RESIDUALS
        kept = np.sort(self.residuals)
        if len(kept) > MOST_RESIDUALS:
            kept = np.quantile(kept, shares)
        return {
            "coefficients": [1000 * float(c) for c in self.coefficients],
            "residuals": [round(float(u), 6) for u in kept],
            "residual_sd": float(np.std(self.residuals)),
            "n": len(self.residuals),
        }


def fit(lengths: np.ndarray, services: np.ndarray) -> Services:
    """f by least squares of relative errors, reweighted by f until it stands; then the residuals.

    `lengths` in tokens, `services` in seconds, both [n], in the order of time. ValueError without
    any. With fewer than three lengths f is of a lower degree.
    """
    if not len(services):
        raise ValueError("no services: nothing was measured")
    degree = min(_DEGREE, len(np.unique(lengths)) - 1)
    longest = float(max(lengths.max(), 1))
    powers = np.vander(lengths / longest, degree + 1, increasing=True)
    weights = 1 / np.maximum(services, 1e-9)
    for _ in range(_ROUNDS):
        solution, *_ = np.linalg.lstsq(powers * weights[:, None], services * weights, rcond=None)
        weights = 1 / np.maximum(powers @ solution, _least(services))
    coefficients = np.zeros(_DEGREE + 1)
    coefficients[: degree + 1] = solution / longest ** np.arange(degree + 1)
    # Seldom a fit of few requests falls below any service: it is not to be divided by.
    expected = np.maximum(_f(coefficients, lengths), _least(services))
    return Services(coefficients, services / expected, block_of(len(services)))


def _least(services: np.ndarray) -> float:
    return max(float(np.min(services)) / 2, 1e-9)


def _f(coefficients: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.vander(lengths.astype(np.float64), _DEGREE + 1, increasing=True) @ (
        coefficients
    )
    positive: np.ndarray = np.maximum(found, 1e-9)
    return positive


def raw(lengths: np.ndarray, services: np.ndarray) -> dict[str, list[Any]]:
    """Services as they were measured, in order: `lengths` in tokens, `service_ms`; at most
    MOST_SERVICES, evenly over the run. `services` in seconds."""
    count = len(services)
    kept = np.arange(min(count, MOST_SERVICES)) * count // min(count, MOST_SERVICES)
    return {
        "lengths": lengths[kept].tolist(),
        "service_ms": np.round(1000 * services[kept], 4).tolist(),
    }
