"""Percentiles are samples that were seen; rates are amounts over the time of all samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.benchmark.statistics import per_second, percentile

latencies = st.lists(st.floats(min_value=1e-3, max_value=1e5), min_size=1, max_size=300)


def test_the_median_of_an_odd_number_of_samples_is_the_middle_one():
    assert percentile([9.0, 1.0, 5.0], 50) == 5.0


def test_the_median_of_an_even_number_of_samples_is_the_lower_middle_one():
    assert percentile([4.0, 1.0, 3.0, 2.0], 50) == 2.0


def test_nearest_rank_over_one_hundred_samples():
    samples = [float(number) for number in range(1, 101)]
    assert [percentile(samples, p) for p in (1, 50, 90, 95, 99, 100)] == [1, 50, 90, 95, 99, 100]


def test_nearest_rank_of_the_textbook():
    # Wikipedia, "Percentile", worked example of the nearest-rank method.
    assert [percentile([15, 20, 35, 40, 50], p) for p in (5, 30, 40, 50, 100)] == [
        *(15, 20, 20, 35, 50)
    ]


def test_with_fewer_than_100_samples_the_last_rank_is_the_slowest():
    assert percentile([1.0] * 98 + [7.0], 99) == 7.0
    assert percentile([1.0] * 99 + [7.0], 99) == 1.0


def test_the_order_of_the_samples_does_not_matter_and_is_kept():
    samples = [3.0, 1.0, 2.0]
    percentile(samples, 90)
    assert samples == [3.0, 1.0, 2.0]


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_a_percent_out_of_range_is_refused(percent):
    with pytest.raises(ValueError, match="expected 1 to 100"):
        percentile([1.0], percent)


def test_no_samples_have_no_percentile():
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


def test_every_rank_of_one_hundred_samples_is_exact():
    """NumPy's "inverted_cdf" gives 8, 15, 29, 30, 57, 58, ... for 7, 14, 28, 29, 56, 57, ..."""
    samples = [float(number) for number in range(1, 101)]
    assert [percentile(samples, percent) for percent in range(1, 101)] == samples


@given(latencies, st.sampled_from((50, 90, 95, 99)))
def test_the_percentiles_that_are_reported_are_numpys_inverted_cdf(samples, percent):
    assert percentile(samples, percent) == np.percentile(samples, percent, method="inverted_cdf")


@given(latencies, st.integers(1, 100))
def test_a_percentile_is_the_smallest_sample_that_so_many_do_not_exceed(samples, percent):
    found = percentile(samples, percent)
    assert 100 * sum(sample <= found for sample in samples) >= percent * len(samples)
    assert 100 * sum(sample < found for sample in samples) < percent * len(samples)


def test_a_rate_is_the_amount_over_the_time_of_all_samples():
    # 4 batches of 8 features in 250 ms each: 32 features in one second.
    assert per_second(32, [250.0] * 4) == 32.0


@given(st.integers(1, 10**6), latencies)
def test_throughput_times_time_is_the_number_of_features(features, samples):
    assert per_second(features, samples) * sum(samples) / 1000 == pytest.approx(features)


def test_no_time_has_no_rate():
    with pytest.raises(ValueError, match="nothing was measured"):
        per_second(1, [0.0])
