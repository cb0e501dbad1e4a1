"""A verdict is exact: of equal sides it is wrong in at most a third of 5 % at each look."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bertsquad.benchmark.verdicts import (
    ERROR_RATE,
    LOOKS,
    level_of,
    signed_rank_counts,
    verdict,
    walsh_averages,
)

EIGHT_SIGNS = np.array(list(itertools.product((-1.0, 1.0), repeat=8)))

magnitudes = st.lists(
    st.one_of(st.just(0.0), st.sampled_from([0.01, 0.02]), st.floats(1e-6, 30.0)),
    min_size=8,
    max_size=8,
)


def decided(logs: np.ndarray) -> bool:
    return verdict(np.exp(logs).tolist(), same_within=0.0).word in ("faster", "slower")


def test_distinct_magnitudes_decide_in_4_of_all_256_patterns_of_signs():
    logs = EIGHT_SIGNS * np.arange(1, 9) / 100
    assert sum(map(decided, logs)) == 4


@given(magnitudes)
@settings(max_examples=30, deadline=None)
def test_of_all_patterns_of_signs_at_most_a_third_of_5_percent_decide(sizes):
    """Whatever the rounds' sizes: equal ones, zeros, one that is huge."""
    wrong = sum(map(decided, EIGHT_SIGNS * np.array(sizes)))
    assert wrong / 256 <= ERROR_RATE / len(LOOKS)


@pytest.mark.parametrize(("rounds", "attained"), [(8, 0.0156), (16, 0.0155), (32, 0.0165)])
def test_the_level_attained_at_each_look(rounds, attained):
    below = np.cumsum(signed_rank_counts(rounds)) / 2.0**rounds
    assert 2 * below[below <= ERROR_RATE / 6].max() == pytest.approx(attained, abs=1e-4)


def test_the_counts_of_signed_ranks_are_those_of_the_textbook():
    # Three ranks: 0, 1, 2, 3 (twice: 3 and 1 + 2), 4, 5, 6.
    assert signed_rank_counts(3).tolist() == [1, 1, 1, 2, 1, 1, 1]


@given(st.lists(st.integers(1, 2000), min_size=8, max_size=16, unique=True), st.randoms())
@settings(deadline=None)
def test_a_decision_is_that_of_scipys_exact_test(sizes, random):
    logs = np.array([random.choice((-1, 1)) * size / 10000 for size in sizes])
    p = stats.wilcoxon(logs, method="exact").pvalue
    assert decided(logs) == (p <= ERROR_RATE / len(LOOKS))


def test_the_point_is_the_median_of_the_means_of_all_pairs():
    assert walsh_averages(np.array([1.0, 3.0, 8.0])).tolist() == [1, 2, 3, 4.5, 5.5, 8]
    assert verdict([1.0, 1.0, 8.0]).ratio == pytest.approx(8**0.25)


def test_one_huge_round_moves_neither_the_point_nor_the_interval_far():
    found = verdict([1.05] * 7 + [50.0])
    assert found.ratio == pytest.approx(1.05)
    assert found.low == pytest.approx(1.05)


def test_five_percent_faster_in_every_round_is_faster():
    found = verdict([1.05, 1.051, 1.049, 1.052, 1.048, 1.05, 1.053, 1.047])
    assert found.word == "faster"
    assert found.ratio == pytest.approx(1.05, abs=0.001)
    assert found.would_need is None


def test_slower_mirrors_faster():
    ratios = [1.05, 1.051, 1.049, 1.052, 1.048, 1.05, 1.053, 1.047]
    found = verdict([1 / ratio for ratio in ratios])
    assert (found.word, verdict(ratios).word) == ("slower", "faster")
    assert found.low == pytest.approx(1 / verdict(ratios).high)


def test_a_sure_difference_that_is_too_small_is_the_same():
    ratios = [1.004, 1.005, 1.0045, 1.0055, 1.006, 1.0035, 1.005, 1.0052]
    assert verdict(ratios).word == "same"
    assert verdict(ratios, same_within=0.001).word == "faster"


def test_five_rounds_can_never_decide():
    found = verdict([2.0, 2.1, 2.2, 2.3, 2.4])
    assert (found.word, found.low, found.high) == ("cannot tell", 0.0, math.inf)


def test_what_cannot_be_told_says_how_many_rounds_would_tell():
    found = verdict([0.95, 1.08, 0.97, 1.06, 1.02, 0.99, 1.05, 0.98])
    assert found.word == "cannot tell"
    logs = np.log([0.95, 1.08, 0.97, 1.06, 1.02, 0.99, 1.05, 0.98])
    expected = (3.4 * np.std(logs, ddof=1) / math.log(found.ratio)) ** 2
    assert found.would_need == math.ceil(expected)


def test_no_rounds_are_no_verdict():
    with pytest.raises(ValueError, match="no rounds"):
        verdict([])


def test_equal_sides_in_noise_that_drifts_are_told_apart_in_at_most_5_percent():
    """All looks together, 1,000 comparisons: the clock of both wanders, each round has its own."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(1000):
        drift = np.cumsum(rng.normal(0, 0.02, 64)).reshape(32, 2)  # two turns a round
        noise = drift + rng.standard_t(3, (32, 2)) * 0.02
        first = rng.integers(0, 2, 32)  # a fair coin decides who runs first
        logs = np.where(first == 0, noise[:, 0] - noise[:, 1], noise[:, 1] - noise[:, 0])
        for rounds in LOOKS:
            word = verdict(np.exp(logs[:rounds]).tolist()).word
            if word != "cannot tell":
                wrong += word in ("faster", "slower")
                break
    assert wrong / 1000 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 1000)


def test_one_look_asks_for_less_than_three():
    assert level_of(1) == pytest.approx(0.95)
    assert level_of(3) == pytest.approx(1 - 0.05 / 3)
    rounds = [1.01, 1.02, 1.03, 1.04, 1.05, 1.06]
    assert verdict(rounds, level=level_of(1)).word == "faster"
    assert verdict(rounds, level=level_of(3)).word == "cannot tell"
