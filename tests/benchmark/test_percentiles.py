"""Percentiles have exact intervals, and no value where there are too few samples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.benchmark.percentiles import estimate, in_words, interval, needed, summarize

latencies = st.lists(st.floats(min_value=1e-3, max_value=1e5), min_size=1, max_size=400)


@pytest.mark.parametrize(
    ("percent", "samples"), [(50, 6), (90, 36), (95, 72), (99, 368), (99.9, 3688)]
)
def test_a_percentile_needs_so_many_samples(percent, samples):
    assert needed(percent) == samples
    assert interval(range(samples - 1), percent)[1] is None
    assert None not in interval(range(samples), percent)


@pytest.mark.parametrize("percent", [0, 100, -1])
def test_the_ends_of_a_distribution_are_no_percentiles(percent):
    with pytest.raises(ValueError, match="more than 0 and less than 100"):
        needed(percent)


def test_of_16_requests_there_is_no_p99():
    found = estimate([float(number) for number in range(1, 17)], 99)
    assert (found["value"], found["high"], found["needs"]) == (None, None, 368)
    assert found["low"] == 15.0  # 2 of 16 above it: in 1 % of all runs


def test_of_368_requests_there_is_one():
    found = estimate([float(number) for number in range(1, 369)], 99)
    assert (found["value"], found["high"]) == (365.0, 368.0)
    assert "needs" not in found


@pytest.mark.parametrize("count", [5, 6, 36, 72, 368, 1000])
@pytest.mark.parametrize("percent", [50, 90, 95, 99])
def test_the_ranks_are_those_of_binomial_sums(count, percent):
    """Probability that fewer than `rank` of the samples lie below the true percentile."""

    def below(rank):
        p = percent / 100
        return math.fsum(
            math.comb(count, k) * p**k * (1 - p) ** (count - k) for k in range(int(rank))
        )

    low, high = interval(range(1, count + 1), percent)
    if low is not None:
        assert below(low) <= 0.025 < below(low + 1)
    else:
        assert below(1) > 0.025
    if high is not None:
        assert 1 - below(high) <= 0.025 < 1 - below(high - 1)
    else:
        assert 1 - below(count) > 0.025


@pytest.mark.parametrize(("percent", "count"), [(50, 100), (90, 200), (99, 1000)])
def test_the_interval_holds_the_truth_in_95_of_100_runs(percent, count):
    draw = np.random.default_rng(7)
    truth = -math.log(1 - percent / 100)  # of an exponential distribution
    held = 0
    for _ in range(500):
        low, high = interval(draw.exponential(size=count), percent)
        held += low <= truth <= high
    assert held >= 465  # the ranks are whole numbers, so that it may be more than 95 %


@given(latencies)
def test_a_summary_is_ordered_and_was_observed(samples):
    summary = summarize(samples)
    known = [summary[f"p{percent}"] for percent in (50, 90, 95, 99)]
    values = [found["value"] for found in known if found["value"] is not None]
    order = [summary["min"], *values, summary["max"]]
    assert order == sorted(order)
    assert set(order) <= set(samples)
    assert summary["n"] == len(samples)
    assert summary["min"] <= summary["mean"] * (1 + 1e-12)
    assert summary["mean"] <= summary["max"] * (1 + 1e-12)
    for found in known:
        assert (found["value"] is None) == ("needs" in found)
        if found["value"] is not None:
            assert found["low"] <= found["value"] <= found["high"]


def test_a_line_names_the_slowest_where_there_is_no_p99():
    assert in_words(summarize([1.0, 2.0, 3.0])) == "slowest of 3 3.0 ms"
    assert in_words(summarize([1.0] * 29 + [4.5])) == "p50 1.0 ms, slowest of 30 4.5 ms"
    assert in_words(summarize([1.0] * 400), 0) == "p50 1 ms, p99 1 ms"
