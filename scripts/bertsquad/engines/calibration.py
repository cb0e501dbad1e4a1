"""Which features an INT8 model is calibrated on."""

from __future__ import annotations

import numpy as np


def spread_features(lengths: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Numbers of `count` features, int64, ascending; all of them where there are no more.

    One is drawn from each of `count` equal parts of the features sorted by length, so that short
    and long ones are there as they are in the whole.
    """
    order = np.argsort(lengths, kind="stable")
    edges = np.linspace(0, len(order), min(count, len(order)) + 1).astype(np.int64)
    drawn = np.random.default_rng(seed).integers(edges[:-1], edges[1:])
    return np.sort(order[drawn])
