"""What a machine carries within an SLO, beside queues whose answers are known."""

import numpy as np
import pytest

from bertsquad.planner.capacity import capacity, mixed, ratios
from bertsquad.planner.demand import LengthClass
from bertsquad.planner.services import Services
from bertsquad.planner.spread import Spread

SHORT = LengthClass("short", 0.75, np.array([100]))
LONG = LengthClass("long", 0.25, np.array([300]))
CLASSES = {"short": SHORT, "long": LONG}


def constant(ms_by_length: dict[int, float], each: int = 200) -> Services:
    lengths = np.tile(list(ms_by_length), each)
    return Services(lengths, np.array([ms_by_length[length] for length in lengths]) / 1000)


def test_one_class_of_constant_services_is_the_queue_m_d_1():
    # M/D/1, p99 of the latency at utilisation 0.7 is 7.4855 services (Erlang's formula).
    fit = constant({100: 10.0}).fit()
    found = capacity(fit, {"short": SHORT}, 1, 0.0748550, 99)
    assert found.rate == pytest.approx(70, rel=0.02)
    assert found.utilisation == pytest.approx(0.70, rel=0.02)
    assert found.alone_s == {"short": pytest.approx(0.010)}


def test_a_class_that_is_too_slow_alone_is_not_eligible():
    fit = constant({100: 10.0, 300: 80.0}).fit()
    found = capacity(fit, CLASSES, 1, 0.060, 99)
    assert found.eligible == ("short",)
    assert found.alone_s["long"] == pytest.approx(0.080)


def test_where_no_class_is_eligible_nothing_is_carried():
    found = capacity(constant({100: 10.0, 300: 30.0}).fit(), CLASSES, 1, 0.005, 99)
    assert (found.eligible, found.rate, found.utilisation) == ((), 0.0, 0.0)


def test_two_lanes_carry_more_than_twice_one():
    # Two servers share their queue.
    fit = constant({100: 10.0}).fit()
    one, two = (capacity(fit, {"short": SHORT}, lanes, 0.050, 99).rate for lanes in (1, 2))
    assert 2.1 * one < two < 3 * one


def test_a_mix_has_its_shares():
    pool = mixed(constant({100: 10.0, 300: 30.0}).fit(), CLASSES, {"short": 3, "long": 1})
    assert np.mean(np.isclose(pool, 0.030)) == pytest.approx(0.25)


def test_constant_services_leave_no_doubt():
    found = ratios(constant({100: 10.0}), {"short": SHORT}, {"short": 1}, 1, 0.05, 99, draws=5)
    np.testing.assert_allclose(found, 1, atol=0.01)


def test_more_requests_leave_less_doubt():
    def spread(requests: int) -> float:
        random = np.random.default_rng(1)
        seconds = 0.010 * np.exp(0.3 * random.standard_normal(requests))
        services = Services(np.full(requests, 100), seconds)
        return float(np.std(ratios(services, {"short": SHORT}, {"short": 1}, 1, 0.1, 99, 30)))

    few, many = spread(200), spread(5000)
    assert 0 < many < few < 0.2


def test_a_drawn_rate_is_the_one_that_a_whole_search_finds():
    from bertsquad.benchmark.twin import highest_rate
    from bertsquad.planner.capacity import DRAWN, _rate_near

    pool = 0.010 * np.exp(0.3 * np.random.default_rng(2).standard_normal(20_000))
    expected = highest_rate(pool, 1, 0.06, 99, DRAWN)
    for start in (0.92, 1.0, 1.08):
        assert _rate_near(pool, 1, 0.06, 99, start * expected) == pytest.approx(expected, rel=0.02)


def test_a_machine_that_is_slow_for_a_while_carries_less_than_one_that_is_slow_now_and_then():
    slow = np.where(np.arange(2000) < 200, 0.015, 0.010)
    scattered = np.random.default_rng(3).permutation(slow)
    together, apart = (
        capacity(Services(np.full(2000, 100), each).fit(), {"short": SHORT}, 1, 0.08, 99).rate
        for each in (slow, scattered)
    )
    assert together < 0.95 * apart


def test_processes_that_differ_leave_more_doubt():
    random = np.random.default_rng(1)
    seconds = 0.010 * np.exp(0.1 * random.standard_normal(2000))
    same = Services(np.full(2000, 100), seconds)
    differing = Services(same.lengths, seconds, Spread(0.1, 30))
    one, many = (
        float(np.std(ratios(each, {"short": SHORT}, {"short": 1}, 1, 0.1, 99, 30)))
        for each in (same, differing)
    )
    assert many > 3 * one
    assert 0.05 < many < 0.25
