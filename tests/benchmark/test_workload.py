"""A workload has the dataset's mixture of lengths, the same for every cell that asks alike."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.benchmark.squad_lengths import read_lengths
from bertsquad.benchmark.workload import (
    computed_tokens,
    make_workload,
    spread_over_lengths,
    spread_with_neighbours,
    squares,
)

LENGTHS = np.random.default_rng(7).integers(20, 385, size=1000).astype(np.int32)


def flat(batches):
    return np.concatenate(batches).tolist()


def test_it_has_as_many_batches_as_asked_each_of_the_batch_size():
    workload = make_workload(LENGTHS, batch_size=8, warmup=3, iterations=5)
    assert len(workload.first) == 8
    assert [len(batch) for batch in workload.warmup] == [8] * 3
    assert [len(batch) for batch in workload.timed] == [8] * 5


def test_asked_twice_it_is_the_same():
    one, two = (make_workload(LENGTHS, batch_size=4, warmup=2, iterations=9) for _ in range(2))
    assert flat(one.timed) == flat(two.timed)
    assert flat(one.warmup) == flat(two.warmup)


def test_the_warm_up_does_not_change_what_is_timed():
    short = make_workload(LENGTHS, batch_size=4, warmup=0, iterations=9)
    long = make_workload(LENGTHS, batch_size=4, warmup=20, iterations=9)
    assert flat(short.timed) == flat(long.timed)


def test_another_seed_shuffles_otherwise_but_takes_the_same_features():
    one = make_workload(LENGTHS, batch_size=4, warmup=1, iterations=9, seed=0)
    two = make_workload(LENGTHS, batch_size=4, warmup=1, iterations=9, seed=1)
    assert flat(one.timed) != flat(two.timed)
    assert sorted(flat(one.timed)) == sorted(flat(two.timed))


def test_batch_sizes_with_the_same_product_take_the_same_features():
    singles = make_workload(LENGTHS, batch_size=1, warmup=0, iterations=64)
    eights = make_workload(LENGTHS, batch_size=8, warmup=0, iterations=8)
    assert sorted(flat(singles.timed)) == sorted(flat(eights.timed))


def test_even_twenty_features_have_the_mean_length_of_the_dataset():
    drawn = LENGTHS[spread_over_lengths(LENGTHS, 20)]
    assert drawn.mean() == pytest.approx(LENGTHS.mean(), rel=0.01)
    assert drawn.max() > np.percentile(LENGTHS, 95)


def test_one_draw_is_a_feature_of_median_length():
    assert spread_over_lengths(np.array([50, 10, 40, 20, 30]), 1).tolist() == [4]


def test_all_features_drawn_once_are_all_features():
    assert sorted(spread_over_lengths(LENGTHS, 1000).tolist()) == list(range(1000))


def test_more_draws_than_features_cycle():
    assert Counter(spread_over_lengths(np.array([5, 9]), 7).tolist()) == {0: 3, 1: 4}


@given(st.lists(st.integers(1, 512), min_size=1, max_size=40), st.integers(1, 100))
def test_no_feature_is_taken_more_than_once_oftener_than_another(lengths, count):
    taken = Counter(spread_over_lengths(np.array(lengths), count).tolist())
    times = [taken[feature] for feature in range(len(lengths))]
    assert sum(times) == count
    assert max(times) - min(times) <= 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0, "warmup": 1, "iterations": 1}, "batch_size is 0; expected at least 1"),
        ({"batch_size": 1, "warmup": -1, "iterations": 1}, "warmup is -1; expected at least 0"),
        ({"batch_size": 1, "warmup": 1, "iterations": 0}, "iterations is 0; expected at least 1"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        make_workload(LENGTHS, **settings)


def test_no_features_are_refused():
    with pytest.raises(ValueError, match="no features"):
        make_workload(np.zeros(0, np.int32), batch_size=1, warmup=0, iterations=1)


def test_computed_tokens_are_the_real_ones_without_padding():
    batches = [np.array([0, 2]), np.array([1, 1])]
    assert computed_tokens(batches, np.array([10, 20, 30]), None) == 10 + 30 + 20 + 20


def test_computed_tokens_are_all_places_with_padding():
    batches = [np.array([0, 2]), np.array([1, 1])]
    assert computed_tokens(batches, np.array([10, 20, 30]), 384) == 4 * 384


@pytest.mark.parametrize("count", [24, 32, 100, 500])
def test_neighbours_keep_the_mixture(count):
    lengths = read_lengths()
    chosen = spread_with_neighbours(lengths, count // 4)
    assert len(chosen) == len(set(chosen.tolist())) == count
    assert lengths[chosen].mean() == pytest.approx(lengths.mean(), rel=0.01)
    assert (np.diff(lengths[chosen]) >= 0).all()


def test_squares_do_not_overflow():
    assert squares(np.full(100_000, 384, np.int32)) == 100_000 * 384 * 384


@given(st.integers(1, 90), st.integers(1, 20))
def test_no_feature_has_two_places_among_the_neighbours(count, groups):
    groups = min(groups, max(1, count // 4))
    chosen = spread_with_neighbours(np.arange(count), groups).tolist()
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(groups * 4, count)
