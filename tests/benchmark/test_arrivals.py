"""Schedules have the rate that was asked for, and the shape."""

import numpy as np
import pytest

from bertsquad.benchmark.arrivals import constant, gamma, make_arrivals, on_off, poisson, trace
from bertsquad.console.errors import UserError

N = 40_000


def test_constant_arrivals_have_equal_gaps():
    assert constant(4.0, 3).tolist() == [0.25, 0.5, 0.75]


@pytest.mark.parametrize(
    ("arrivals", "variation"),
    [
        (poisson(50.0, N, 1), 1.0),
        (gamma(50.0, N, 1, burstiness=1.0), 1.0),
        (gamma(50.0, N, 1, burstiness=0.25), 2.0),
        (gamma(50.0, N, 1, burstiness=4.0), 0.5),
    ],
)
def test_gaps_have_the_mean_and_variation_asked_for(arrivals, variation):
    gaps = np.diff(arrivals)
    assert gaps.mean() == pytest.approx(0.02, rel=0.05)
    assert gaps.std() / gaps.mean() == pytest.approx(variation, rel=0.05)


def test_on_off_has_its_rate_on_average_and_the_higher_one_while_on():
    arrivals = on_off(50.0, N, 1, high=3.0, on_s=1.0, off_s=4.0)
    assert N / arrivals[-1] == pytest.approx(50.0, rel=0.03)
    assert np.mean(arrivals % 5.0 < 1.0) == pytest.approx(3.0 / 5.0, abs=0.02)


def test_on_off_can_be_silent_while_off():
    arrivals = on_off(50.0, 1000, 1, high=5.0, on_s=1.0, off_s=4.0)
    assert np.all(arrivals % 5.0 <= 1.0 + 1e-9)


def test_the_seed_decides():
    assert np.array_equal(poisson(5.0, 9, 3), poisson(5.0, 9, 3))
    assert not np.array_equal(poisson(5.0, 9, 3), poisson(5.0, 9, 4))


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_of_nothing_is_refused(rate):
    with pytest.raises(ValueError, match="rate is"):
        poisson(rate, 3, 0)


def test_on_alone_must_not_exceed_the_rate():
    with pytest.raises(ValueError, match="at most 5"):
        on_off(50.0, 10, 1, high=5.1, on_s=1.0, off_s=4.0)


def test_a_trace_keeps_its_shape_at_any_rate(tmp_path):
    path = tmp_path / "trace.txt"
    path.write_text("100\n101\n103\n106\n")
    assert trace(1.0, 9, str(path)).tolist() == [0.0, 0.5, 1.5, 3.0]
    assert trace(2.0, 3, str(path)) == pytest.approx(np.array([0, 1, 3]) / 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\nsoon\n", "not a trace .*soon"),
        ("2\n1\n", "not ascending"),
        ("nan\n1\n", "not ascending"),
        ("1\n", "1 arrivals; expected two or more"),
        ("1\n1\n", "at different times"),
    ],
)
def test_another_file_is_refused(tmp_path, text, message):
    path = tmp_path / "trace.txt"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        trace(1.0, 9, str(path))


def test_kinds_go_by_name():
    by_name = make_arrivals(5.0, 9, 3, "gamma", burstiness=0.5)
    assert np.array_equal(by_name, gamma(5.0, 9, 3, 0.5))
    assert np.array_equal(make_arrivals(5.0, 9, 3, "poisson"), poisson(5.0, 9, 3))
    assert np.array_equal(make_arrivals(5.0, 9, 3, "constant"), constant(5.0, 9))


def test_a_trace_whose_first_arrivals_are_at_one_time_has_no_rate(tmp_path):
    path = tmp_path / "trace.txt"
    path.write_text("5\n5\n5\n6\n")
    assert trace(1.0, 4, str(path)).tolist() == [0.0, 0.0, 0.0, 3.0]
    with pytest.raises(UserError, match="first 3 arrivals are at one time, so they have no rate"):
        trace(1.0, 3, str(path))
