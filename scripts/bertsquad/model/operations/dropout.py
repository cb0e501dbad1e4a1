"""Which values dropout drops: a function of seed words, cheap to draw and to draw again.

PyTorch's generator takes 7 ns for a value of a mask, 16 random bits of NumPy's SFC64 and a
comparison 1 ns (Zen 3, one thread). Attention alone needs heads x tokens values for every token.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_RESOLUTION = 2**16  # a rate is a whole number of these parts: 0.1 is 0.100006


class Masks:
    """Masks drawn one after the other from a stream of random bits that `words` decide."""

    def __init__(self, words: Sequence[int]) -> None:
        self.bits = np.random.SFC64(np.random.SeedSequence(words))

    def draw(self, shape: Sequence[int], rate: float) -> Tensor | None:
        """int8[shape]: 0 with probability `rate`, to be dropped, else 1. None where none is."""
        dropped = _parts(rate)
        if not dropped:
            return None
        count = math.prod(shape)
        drawn = self.bits.random_raw(-(-count // 4)).view(np.int16)[:count]
        return torch.from_numpy(drawn).ge_(dropped - _RESOLUTION // 2).to(torch.int8).view(*shape)


def _parts(rate: float) -> int:
    return min(round(rate * _RESOLUTION), _RESOLUTION - 1)


def scale(rate: float) -> float:
    """What the values that are kept are multiplied by, so that their expectation stays."""
    return 1 / (1 - _parts(rate) / _RESOLUTION)


def dropout(hidden: Tensor, mask: Tensor | None, rate: float) -> Tensor:
    """`hidden` with a mask of `Masks.draw` applied."""
    return hidden if mask is None else hidden * (mask * scale(rate))
