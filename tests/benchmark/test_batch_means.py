"""Intervals of a queue's percentiles hold the true one; those for independent samples do not."""

import numpy as np
import pytest

from bertsquad.benchmark import batch_means, percentiles
from bertsquad.benchmark.twin import fcfs

# Of M/D/1 at utilisation 0.7, by Erlang's formula.
TRUE_P99 = 7.485499


def queue(seed):
    random = np.random.default_rng([11, seed])
    arrivals = random.exponential(1 / 0.7, 11_000).cumsum()
    return fcfs(arrivals, np.ones(11_000), 1)[1000:]


def test_coverage_in_a_queue():
    """500 runs of 10,000 requests: 95 % is meant."""
    ours = theirs = 0
    for seed in range(500):
        samples = queue(seed)
        low, high = batch_means.interval(samples.tolist(), 99)
        ours += low <= TRUE_P99 and (high is None or high >= TRUE_P99)
        low, high = percentiles.interval(samples, 99)
        theirs += low <= TRUE_P99 <= high
    assert ours >= 450
    assert theirs < 300


def test_a_percentile_has_no_value_of_too_few_and_no_end_beyond_the_slowest():
    found = batch_means.estimate(list(range(100)), 99)
    assert (found["value"], found["high"], found["needs"]) == (None, None, 368)
    assert batch_means.interval([1.0] * 19, 50) == (None, None)
    burst = [1.0] * 397 + [100.0] * 3  # all slow ones in one batch
    assert batch_means.interval(burst, 99)[1] is None


def test_equal_samples_have_an_interval_of_one_point():
    found = batch_means.summarize([5.0] * 400)
    assert found["p99"]["value"] == found["p99"]["low"] == found["p99"]["high"] == 5.0
    assert (found["mean"], found["min"], found["max"], found["n"]) == (5.0, 5.0, 5.0, 400)


def test_the_pool_of_two_instances_has_the_percentile_of_all_samples():
    pooled = [10.0, 100.0] * 1000
    assert batch_means.estimate(pooled, 99)["value"] == pytest.approx(100)
