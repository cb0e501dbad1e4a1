"""How processes differ: known spreads are found again, and a prediction holds them."""

import numpy as np
import pytest

from bertsquad.planner.spread import UNKNOWN, Spread, spread_of


def test_of_several_cells_each_about_its_own_mean():
    # Logarithms: 0 and 0.1, about 0.05; then 1, 1.1 and 1.2, about 1.1: squares 0.005 and 0.02.
    found = spread_of([np.exp([0.0, 0.1]), np.exp([1.0, 1.1, 1.2]), [7.0], []])
    assert found.freedom == 3
    assert found.sd == pytest.approx((0.025 / 3) ** 0.5)


@pytest.mark.parametrize("cells", [[], [[]], [[1.0], [2.0]]])
def test_single_processes_tell_nothing(cells):
    assert spread_of(cells) == UNKNOWN
    assert UNKNOWN.factor(np.random.default_rng(0)) == 1.0


def test_a_further_process_lies_within_the_drawn_ones_as_often_as_it_should():
    """Processes differ by 8 %; of three the spread is found, and 95 % of factors hold a fourth."""
    random, inside = np.random.default_rng(3), 0
    for _ in range(400):
        *known, new = np.exp(0.08 * random.standard_normal(4))
        factors = [spread_of([known]).factor(random) for _ in range(300)]
        low, high = np.quantile(factors, [0.025, 0.975])
        inside += low <= new / np.exp(np.mean(np.log(known))) <= high
    assert 350 <= inside <= 392  # the mean of three is itself off: a little less than 95 %


def test_factors_have_the_spread_and_a_median_of_1():
    random = np.random.default_rng(4)
    factors = np.log([Spread(0.05, 1000).factor(random) for _ in range(4000)])
    assert np.std(factors) == pytest.approx(0.05, rel=0.05)
    assert np.median(factors) == pytest.approx(0, abs=0.004)


def test_by_two_processes_alone_no_factor_is_beyond_all_bounds():
    """Student's t of one degree has no bound: now and then it is so large that e to it is none."""
    random = np.random.default_rng(5)
    factors = [Spread(10.0, 1).factor(random) for _ in range(1000)]
    assert min(factors) == pytest.approx(0.1)
    assert max(factors) == pytest.approx(10)
