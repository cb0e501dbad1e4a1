"""Calibration features: drawn by a seed, spread over the lengths."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.engines.calibration import spread_features


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=60),
    count=st.integers(1, 80),
    seed=st.integers(0, 5),
)
def test_so_many_different_features_or_all(lengths, count, seed):
    chosen = spread_features(np.array(lengths), count, seed).tolist()
    assert len(chosen) == min(count, len(lengths))
    assert chosen == sorted(set(chosen))
    assert set(chosen) <= set(range(len(lengths)))


def test_every_tenth_of_the_lengths_has_its_share():
    lengths = np.random.default_rng(0).permutation(1000)
    chosen = lengths[spread_features(lengths, 50, seed=3)]
    assert np.histogram(chosen, bins=10, range=(0, 1000))[0].tolist() == [5] * 10


def test_the_seed_decides():
    lengths = np.arange(1000)
    first, again, other = (spread_features(lengths, 20, seed).tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other
