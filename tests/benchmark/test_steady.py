"""Steady or not: series whose truth is known, and properties that hold for all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bertsquad.benchmark.steady import (
    block_medians,
    classify,
    dependence,
    drift,
    slowest_phase,
    truncation,
)
from bertsquad.benchmark.validity import CODES

N = 400
PLACE = np.arange(N) / N
TRUTHS = {
    "flat": ("flat", np.ones(N)),
    "step down": ("warm-up", np.where(PLACE < 0.2, 1.3, 1.0)),
    "cooling down": ("warm-up", 1 + 0.6 * np.exp(-25 * PLACE)),
    "step up": ("slowdown", np.where(PLACE < 0.3, 1.0, 1.2)),
    "ramp up": ("no steady state", 1 + 0.3 * PLACE),
    "ramp down": ("no steady state", 1.3 - 0.3 * PLACE),
    "long sawtooth": ("no steady state", 1 + 0.3 * (PLACE * 2.5 % 1)),
    "short sawtooth": ("flat", 1 + 0.1 * (PLACE * 80 % 1)),
}


@pytest.mark.parametrize(("kind", "truth"), TRUTHS.values(), ids=TRUTHS)
def test_the_class_is_right_in_95_of_100(kind, truth):
    noise = np.random.default_rng(11).gamma(400, 1 / 400, (100, N))  # sd 5 %
    found = [classify(truth * each).kind for each in noise]
    assert found.count(kind) >= 95, found


def test_heavy_tails_are_no_drift():
    noise = np.random.default_rng(5).pareto(2.5, (100, N)) / 20
    assert sum(classify(1 + each).kind == "flat" for each in noise) >= 95


def test_fewer_than_a_hundred_cannot_tell():
    assert classify(np.ones(99)) is None
    assert classify(np.ones(100)).kind == "flat"


# By hand: batch means 9, 1, 1, 1, 1, 1: from the second on the error is 0.
def test_golden_truncation():
    values = np.repeat([9.0, 1.0, 1.0, 1.0, 1.0, 1.0], 5)
    assert truncation(values) == 5
    # 9, 5, 1 and three more: sums of squares 160/3/36 ..., 0 after the second.
    assert truncation(np.repeat([9.0, 5.0, 1.0, 1.0, 1.0, 1.0], 5)) == 10


def test_what_is_dropped_up_to_the_half_is_no_steady_state():
    assert truncation(np.repeat([9.0, 8.0, 7.0, 1.0, 1.0, 1.0], 5)) is None


# Blocks of 1, 2, ..., 20: the slope is 1 a block, 20 over the run, the median 10.5.
def test_golden_drift():
    found = drift(np.repeat(np.arange(1.0, 21.0), 3))
    assert found.share == pytest.approx(20 / 10.5)
    assert (found.low, found.high) == (pytest.approx(20 / 10.5), pytest.approx(20 / 10.5))
    assert found.matters


def test_a_drift_that_is_small_or_chance_does_not_matter():
    small = drift(1 + 0.015 * PLACE)
    assert small.share == pytest.approx(0.015, rel=0.02)
    assert not small.matters
    assert not drift(np.random.default_rng(0).normal(1, 0.2, 60)).matters


def test_one_block_of_outliers_moves_no_slope():
    values = np.ones(N)
    values[:15] = 50.0
    assert drift(values).share == 0.0


def test_neighbours_that_depend_on_each_other_are_found():
    rng = np.random.default_rng(3)
    alone = rng.normal(1, 0.05, 2000)
    queued = np.convolve(alone, np.ones(5) / 5, "valid")
    assert dependence(alone) == 0.0
    assert dependence(queued) > 0.7
    assert dependence(np.tile([1.0, 2.0], 100)) == pytest.approx(-1.0)
    assert dependence(np.ones(100)) == 0.0


def test_independent_samples_are_called_dependent_in_about_1_of_100():
    rng = np.random.default_rng(8)
    found = [dependence(rng.exponential(1.0, 400)) != 0 for _ in range(500)]
    assert sum(found) <= 12


positive = arrays.arrays(np.float64, st.integers(100, 300), elements=st.floats(0.5, 2.0))


@given(positive)
def test_what_is_dropped_is_a_multiple_of_five_below_the_half(values):
    found = truncation(values)
    assert found is None or (found % 5 == 0 and found < len(values) / 2)


@given(positive, st.integers(-20, 20))
def test_the_unit_of_time_changes_nothing(values, power):
    scaled = values * 2.0**power  # exact
    assert classify(scaled) == classify(values)
    assert dependence(scaled) == dependence(values)


@given(positive)
def test_backwards_a_drift_has_the_other_sign(values):
    even = values[: len(values) // 20 * 20]
    assert drift(even[::-1]).share == pytest.approx(-drift(even).share, abs=1e-9)
    assert block_medians(even).tolist() == block_medians(even[::-1]).tolist()[::-1]


def test_a_phase_is_found_whatever_single_samples_do():
    values = np.random.default_rng(3).gamma(100, 1 / 100, N)  # sd 10 %
    assert slowest_phase(values) < 1.1
    values[300:330] *= 1.5
    assert slowest_phase(values) == pytest.approx(1.5, abs=0.08)
    assert classify(values).describe()["slowest_phase"] == pytest.approx(1.5, abs=0.08)


def test_as_many_slow_samples_one_at_a_time_are_no_phase():
    values = np.exp(0.1 * np.random.default_rng(2).standard_normal(N))
    values[::20] *= 1.5
    assert slowest_phase(values) < 1.15 < CODES["slow_phase"].noted


def test_one_slow_sample_is_no_phase():
    values = np.ones(N)
    values[7] = 5.0
    assert slowest_phase(values) == pytest.approx(5 ** (1 / 20))


@pytest.mark.parametrize("count", [1, 19])
def test_too_few_samples_have_no_phase(count):
    assert slowest_phase(np.arange(1.0, 1 + count)) == 1.0
