"""How processes of one cell differ: what one more of them is like, beside those that were measured.

Each process that loads a model has memory of its own and minutes of its own, so that its requests
are all quicker or all slower by some per cent. Requests of one process do not tell by how much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

_MOST = math.log(10)  # of a factor. Where two processes tell it, t may be thousands


@dataclass(frozen=True, slots=True)
class Spread:
    """The standard deviation of the logarithm of a process's mean service, and the degrees of
    freedom that it is known by; 0: nothing is known, and processes count as equal."""

    sd: float = 0.0
    freedom: int = 0

    def factor(self, random: np.random.Generator) -> float:
        """How many times as long the services of one more process are, drawn by Student's t; a
        tenth to ten times."""
        if self.freedom == 0:
            return 1.0
        logarithm = self.sd * float(random.standard_t(self.freedom))
        return math.exp(min(max(logarithm, -_MOST), _MOST))


UNKNOWN = Spread()


def spread_of(cells: Iterable[Sequence[float]]) -> Spread:
    """Of all cells of a machine together; each has its processes' mean services, in any unit."""
    squares, freedom = 0.0, 0
    for means in cells:
        if len(means) > 1:
            squares += float(np.var(np.log(means))) * len(means)
            freedom += len(means) - 1
    return Spread(math.sqrt(squares / freedom), freedom) if freedom else UNKNOWN
