"""The queue that is computed is the one of Erlang's formulas, and of a simulation by events."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bertsquad.benchmark.twin import (
    WARM_UP,
    Streams,
    TooSlowError,
    fcfs,
    highest_rate,
    in_blocks,
    latency_percentile,
)

BATCHES = 20
SMALL = Streams(streams=2, arrivals=20_000)


def mean_and_tolerance(values):
    """Of independent batches; the tolerance is missed once in a thousand seeds."""
    half = stats.t.ppf(0.9995, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return np.mean(values), half


def simulate(utilisation, servers, exponential, statistic):
    results = []
    for batch in range(BATCHES):
        random = np.random.default_rng([7, batch])
        count = 100_000 + WARM_UP
        arrivals = random.exponential(1 / (utilisation * servers), count).cumsum()
        services = random.exponential(1.0, count) if exponential else np.ones(count)
        results.append(statistic(fcfs(arrivals, services, servers)[WARM_UP:], services[WARM_UP:]))
    return mean_and_tolerance(results)


# Erlang's formula for the wait of M/D/1, evaluated to 60 digits.
@pytest.mark.parametrize(
    ("utilisation", "p99"), [(0.5, 4.336256), (0.7, 7.485499), (0.85, 15.208611), (0.9, 22.898237)]
)
def test_m_d_1(utilisation, p99):
    found, tolerance = simulate(
        utilisation, 1, False, lambda latency, _: np.percentile(latency, 99)
    )
    assert tolerance < 0.1 * p99
    assert found == pytest.approx(p99, abs=tolerance)


# Erlang C at utilisation 0.8 with services of mean 1.
@pytest.mark.parametrize(
    ("servers", "mean", "p99"),
    [(1, 4.0, 21.910133), (2, 1.777778, 10.660609), (4, 0.745541, 5.110476)],
)
def test_m_m_c(servers, mean, p99):
    found, tolerance = simulate(0.8, servers, True, lambda latency, own: np.mean(latency - own))
    assert found == pytest.approx(mean, abs=tolerance)
    found, tolerance = simulate(
        0.8, servers, True, lambda latency, own: np.percentile(latency - own, 99)
    )
    assert tolerance < 0.1 * p99
    assert found == pytest.approx(p99, abs=tolerance)


def by_events(arrivals, services, servers):
    """First come, first served, one event after the other."""
    waiting, busy, ends = list(range(len(arrivals))), {}, {}
    now = 0
    while waiting or busy:
        for request in [r for r, end in busy.items() if end <= now]:
            ends[request] = busy.pop(request)
        while waiting and arrivals[waiting[0]] <= now and len(busy) < servers:
            request = waiting.pop(0)
            busy[request] = now + services[request]
            if services[request] == 0:
                ends[request] = busy.pop(request)
        later = list(busy.values()) + [arrivals[r] for r in waiting[:1] if arrivals[r] > now]
        if later:
            now = min(later)
    return [ends[r] - arrivals[r] for r in range(len(arrivals))]


requests = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12)), min_size=1, max_size=12)


@given(requests, st.integers(1, 4))
@settings(deadline=None)
def test_equals_a_simulation_by_events(pairs, servers):
    arrivals = np.cumsum([gap for gap, _ in pairs])
    services = np.array([service for _, service in pairs])
    found = fcfs(arrivals, services, servers)
    assert found.tolist() == by_events(arrivals.tolist(), services.tolist(), servers)


@given(requests)
@settings(deadline=None)
def test_one_server_obeys_lindley(pairs):
    arrivals = np.cumsum([gap for gap, _ in pairs])
    services = np.array([service for _, service in pairs])
    wait, expected = 0, []
    for place, service in enumerate(services):
        if place:
            wait = max(0, wait + services[place - 1] - (arrivals[place] - arrivals[place - 1]))
        expected.append(wait + service)
    assert fcfs(arrivals, services, 1).tolist() == expected


def test_a_stalled_request_delays_those_that_arrive_meanwhile():
    """Half a second of silence at 100 a second is seen by about fifty requests, not by one."""
    arrivals = np.arange(1, 301) / 100
    services = np.full(300, 0.001)
    services[100] = 0.5
    assert 45 <= np.sum(fcfs(arrivals, services, 1) > 0.05) <= 52


def test_the_highest_rate_meets_the_slo_and_a_little_more_does_not():
    services = np.array([0.01, 0.02, 0.03])
    rate = highest_rate(services, 2, 0.06, 99, SMALL)
    assert latency_percentile(services, 2, rate, 99, SMALL) <= 0.06
    assert latency_percentile(services, 2, 1.006 * rate, 99, SMALL) > 0.06


def test_the_highest_rate_of_m_d_1_is_erlangs():
    assert highest_rate(np.ones(1), 1, 7.485499, 99) == pytest.approx(0.7, rel=0.02)


def test_an_slo_below_the_service_itself_says_the_services_percentile():
    with pytest.raises(TooSlowError, match="the service alone takes 312 ms"):
        highest_rate(np.array([0.1, 0.312]), 1, 0.3, 99, SMALL)


@pytest.mark.parametrize(
    ("arrivals", "services", "servers", "message"),
    [
        ([1.0, 0.5], [1.0, 1.0], 1, "ascending"),
        ([1.0], [1.0, 1.0], 1, "one each"),
        ([1.0], [-1.0], 1, "below 0"),
        ([1.0], [1.0], 0, "at least 1"),
    ],
)
def test_other_input_is_refused(arrivals, services, servers, message):
    with pytest.raises(ValueError, match=message):
        fcfs(np.array(arrivals), np.array(services), servers)


@pytest.mark.parametrize(("count", "block"), [(60, 1), (60, 7), (5, 20), (60, 40)])
def test_blocks_are_rows_of_measured_values(count, block):
    drawn = in_blocks(np.arange(30), count, block, np.random.default_rng(1))
    assert len(drawn) == count
    steps = np.diff(drawn) % 30
    assert np.all(np.delete(steps, np.arange(block - 1, len(steps), block)) == 1)
    assert set(in_blocks(np.arange(30), 5000, block, np.random.default_rng(2))) == set(range(30))


def test_services_that_are_slow_together_make_the_queue_longer():
    """A tenth of the services is twice as slow: the same ones, in a row or scattered."""
    together = np.where(np.arange(1000) < 100, 0.02, 0.01)
    alone = latency_percentile(together, 1, 70, 99, SMALL)
    rows = latency_percentile(together, 1, 70, 99, SMALL, block=50)
    assert rows > 2 * alone


def test_blocks_of_services_that_know_nothing_of_each_other_change_nothing():
    services = 0.01 * np.random.default_rng(4).gamma(25, 1 / 25, 20_000)
    one, fifty = (latency_percentile(services, 1, 70, 99, SMALL, block=n) for n in (1, 50))
    assert fifty == pytest.approx(one, rel=0.1)
