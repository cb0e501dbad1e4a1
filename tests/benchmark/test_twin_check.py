"""A queue that is first come, first served fits its twin; another one is refuted, and says why."""

import numpy as np
import pytest

from bertsquad.benchmark.lanes import Schedule
from bertsquad.benchmark.samples import Samples
from bertsquad.benchmark.services import fit
from bertsquad.benchmark.tickets import take
from bertsquad.benchmark.twin import fcfs
from bertsquad.benchmark.twin_check import batched, compare, own_latencies, predict

N, LANES = 1500, 2
RANDOM = np.random.default_rng(3)
TOKENS = RANDOM.integers(40, 385, N)
MEAN = 1e-4 * TOKENS
SERVICES = MEAN * RANDOM.gamma(400, 1 / 400, N)  # 5 % either way
DUE = RANDOM.exponential(MEAN.mean() / LANES / 0.7, N).cumsum()
SATURATED = fit(TOKENS, MEAN * RANDOM.gamma(400, 1 / 400, N))


def schedule(**rule):
    return Schedule((DUE * 1e9).astype(np.int64), np.arange(N), TOKENS, **rule)


def served(services, delay_s=0.0):
    """What first come, first served makes of it, each start later by `delay_s`."""
    asked = schedule()
    ends = asked.due_ns / 1e9 + fcfs(asked.due_ns / 1e9, services, LANES) + delay_s
    starts = ends - services
    return Samples(
        *(asked.due_ns, (starts * 1e9).astype(np.int64), (ends * 1e9).astype(np.int64)),
        *(asked.features, TOKENS, np.zeros(N, np.int64), np.arange(N)),
    )


def test_first_come_first_served_fits():
    found = compare(served(SERVICES), schedule(), SATURATED, LANES)
    assert (found["verdict"], found["reasons"]) == ("fits", [])
    assert found["difference_ms"]["p99"] < 0.001
    assert found["p99_ms"]["own"] == pytest.approx(found["p99_ms"]["measured"], abs=0.001)
    assert found["inflation"] == pytest.approx(1, abs=0.01)


def test_services_that_are_faster_at_load_are_corrected_for():
    found = compare(served(0.94 * SERVICES), schedule(), SATURATED, LANES)
    assert found["verdict"] == "fits"
    assert found["inflation"] == pytest.approx(0.94, abs=0.01)
    assert found["p99_ms"]["saturated"]["value"] > 1.1 * found["p99_ms"]["at_load"]["value"]


def test_lanes_that_dawdle_are_refuted():
    found = compare(served(SERVICES, 0.003), schedule(), SATURATED, LANES)
    assert found["verdict"] == "refuted"
    assert "latencies differ from first come, first served by 3.0 ms" in found["reasons"][0]


def test_services_of_another_shape_are_refuted():
    slow = SERVICES.copy()
    slow[::150] += 0.4  # a stall now and then, which no saturated run has shown
    found = compare(served(slow), schedule(), SATURATED, LANES)
    assert found["verdict"] == "refuted"
    assert found["difference_ms"]["p99"] < 0.001  # and yet the lanes are exact
    assert any("times the predicted one" in reason for reason in found["reasons"])


def test_the_prediction_lies_within_its_own_interval():
    found = predict(schedule(), SATURATED, LANES)
    assert found.low < found.value < found.high


@pytest.mark.parametrize("wait_s", [0.0, 0.02])
def test_batches_are_computed_by_the_rule_that_lanes_follow(wait_s):
    """Served batches, put down as samples, are found again from their own services."""
    asked = schedule(max_tokens=600, wait_ns=int(wait_s * 1e9))
    due, tokens = asked.due_ns.tolist(), TOKENS.tolist()
    free, rows, first, before = [0] * LANES, [], 0, 0
    while first < N:
        lane = free.index(min(free))
        count, begin = take(due, tokens, first, max(free[lane], before), 600, asked.wait_ns)
        free[lane] = int(begin) + int(1e5 * sum(tokens[first : first + count]))
        rows += [(begin, free[lane], lane, first)] * count
        first, before = first + count, begin
    start, end, lane, batch = np.array(rows, np.int64).T
    number = np.searchsorted(np.unique(batch), batch)
    samples = Samples(asked.due_ns, start, end, asked.features, TOKENS, lane, number)
    own = own_latencies(samples, asked, LANES)
    assert 1000 * own == pytest.approx(samples.latency_ms, abs=0.01)
    exact = fit(samples.batch_tokens, samples.service_ms / 1000)
    again = batched(asked, exact, LANES, np.random.default_rng(0))
    assert np.percentile(again, 99) == pytest.approx(np.percentile(own, 99), rel=0.02)
