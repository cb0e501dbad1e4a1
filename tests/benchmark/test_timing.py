"""The one timed loop: whole passes, and how much fits into a budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.stand_ins import FakeClock
from bertsquad.benchmark.timing import at_least, fitting, time_batches


def timed(batches, **options):
    """Samples in ms, of calls that take as many milliseconds as their batch says."""
    clock = FakeClock()
    samples = time_batches(clock.pass_ms, batches, clock=clock, **options)
    return [sample / 1e6 for sample in samples]


def test_every_batch_is_one_sample():
    assert timed([3, 1, 2]) == [3.0, 1.0, 2.0]


def test_whole_passes_are_made_until_the_time_is_over():
    assert timed([30, 10], at_least_s=0.1) == [30.0, 10.0] * 3
    assert timed([30, 10], at_least_s=0.08) == [30.0, 10.0] * 2
    assert timed([30, 10], at_least_s=0.001) == [30.0, 10.0]


def test_nothing_to_run_takes_no_time():
    assert timed([], at_least_s=1.0) == []


def test_progress_counts_on_from_pass_to_pass():
    told = []
    timed([30, 10], at_least_s=0.05, progress=lambda *phase: told.append(phase))
    assert told == [("timing", done, 2) for done in range(4)]


@pytest.mark.parametrize(
    ("seconds", "each_s", "expected"), [(10, 0.5, 20), (10, 2.0, 6), (10, 0.001, 500)]
)
def test_as_many_fit_as_pass_in_the_time_between_the_fewest_and_all(seconds, each_s, expected):
    assert fitting(seconds, each_s, least=6, most=500) == expected


def test_of_a_budget_three_quarters_are_timed_and_without_one_nothing_is_asked():
    assert (at_least(10.0), at_least(None)) == (7.5, 0.0)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.floats(0.001, 0.02))
def test_one_pass_less_would_be_too_short(batches, at_least_s):
    samples = timed(batches, at_least_s=at_least_s)
    assert samples == batches * (len(samples) // len(batches))
    before_last = samples[: -len(batches)]
    assert sum(before_last) < 1000 * at_least_s <= sum(samples) or not before_last
