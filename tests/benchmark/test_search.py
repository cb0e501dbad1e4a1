"""The search finds a known machine's rate in few runs, and says where there is none."""

import numpy as np
import pytest

from bertsquad.benchmark.layout import Layout
from bertsquad.benchmark.search import (
    MOST_PROBES,
    MOST_STEPS,
    Probe,
    find_rate,
    highest_below,
    highest_rate,
    seed_of,
    too_long,
)
from bertsquad.benchmark.services import Services
from bertsquad.benchmark.serving import Serving, ServingSettings


class Machine:
    """p99 rises as 10 / (1 - rate / capacity) ms; services at load are `inflation` of those that
    the twin was told."""

    def __init__(self, capacity=100.0, inflation=1.0, twin="fits", noise=()):
        self.capacity, self.inflation, self.twin = capacity, inflation, twin
        self.noise = list(noise)
        self.runs = []

    def p99(self, rate, inflation):
        scale = 10 * inflation
        return scale / max(1e-9, 1 - rate * inflation / self.capacity)

    def highest(self, slo_ms):
        return lambda inflation: highest_below(
            lambda rate: self.p99(rate, inflation), slo_ms, self.capacity
        )

    def run(self, rate, seed, last):
        self.runs.append((rate, seed, last))
        found = self.p99(rate, self.inflation) * (self.noise.pop(0) if self.noise else 1)
        predicted = self.p99(rate, self.inflation)
        return Probe(rate, 400, found, predicted, 0.0, self.twin, self.inflation)


@pytest.mark.parametrize("inflation", [0.85, 0.95, 1.0, 1.1])
def test_a_known_rate_is_found_within_three_per_cent_in_few_runs(inflation):
    machine = Machine(inflation=inflation)
    true = machine.highest(50.0)(inflation)
    found = find_rate(50.0, machine.highest(50.0), 1.0, machine.run)
    assert found.status == "confirmed"
    assert found.rate == pytest.approx(true, rel=0.03)
    assert len(found.probes) <= 4
    assert machine.runs[-1][2]
    seeds = [seed for _, seed, _ in machine.runs]
    assert len(set(seeds)) == len(seeds)  # the last one is confirmed on arrivals of its own


def test_it_is_confirmed_at_the_lower_confidence_bound():
    machine = Machine()
    found = find_rate(50.0, machine.highest(50.0), 0.9, machine.run)
    assert found.rate_confident == pytest.approx(0.9 * found.rate)
    assert machine.runs[-1][0] == found.rate_confident


def test_an_slo_below_the_service_is_infeasible_and_nothing_is_run():
    machine = Machine()
    found = find_rate(9.0, machine.highest(9.0), 1.0, machine.run)
    assert (found.status, found.rate, machine.runs) == ("infeasible", 0.0, [])


def test_services_that_turn_out_too_slow_at_load_are_infeasible():
    machine = Machine(inflation=2.0)
    found = find_rate(15.0, machine.highest(15.0), 1.0, machine.run)
    assert (found.status, len(machine.runs)) == ("infeasible", 1)


def test_a_rate_that_is_missed_is_lowered_twice_and_no_more():
    machine = Machine(noise=[1.0, 1.3, 1.3, 1.3])
    found = find_rate(50.0, machine.highest(50.0), 1.0, machine.run)
    assert found.status == "unconfirmed"
    assert found.rate_confident == pytest.approx(found.rate * 0.97**2)
    assert sum(last for *_, last in machine.runs) == 3


def test_a_lower_rate_may_be_confirmed():
    machine = Machine(noise=[1.0, 1.3, 1.0])
    found = find_rate(50.0, machine.highest(50.0), 1.0, machine.run)
    assert found.status == "confirmed"
    assert found.rate_confident == pytest.approx(found.rate * 0.97)


def test_a_refuted_twin_confirms_nothing():
    machine = Machine(twin="refuted")
    assert find_rate(50.0, machine.highest(50.0), 1.0, machine.run).status == "unconfirmed"


def test_a_machine_whose_services_never_settle_ends_after_four_probes():
    machine = Machine()
    factors = iter([0.8, 1.2, 0.8, 1.2, 1.0, 1.0, 1.0, 1.0])

    def run(rate, seed, last):
        machine.inflation = next(factors)
        return machine.run(rate, seed, last)

    found = find_rate(50.0, machine.highest(50.0), 1.0, run)
    assert sum(not last for *_, last in machine.runs) == 4
    assert found.status in ("confirmed", "unconfirmed")


def test_a_rate_without_a_lower_bound_is_not_run_and_not_confirmed():
    machine = Machine()
    found = find_rate(50.0, machine.highest(50.0), 0.0, machine.run)
    assert (found.status, found.rate_confident) == ("unconfirmed", 0.0)
    assert found.rate == pytest.approx(machine.highest(50.0)(1.0))
    assert not any(last for *_, last in machine.runs)
    assert all(rate > 0 for rate, *_ in machine.runs)


def test_no_two_runs_of_any_repeat_have_the_same_arrivals():
    numbers = range(MOST_PROBES + MOST_STEPS + 1)
    seeds = [seed_of(repeat, number) for repeat in range(1, 10) for number in numbers]
    assert len(set(seeds)) == len(seeds)
    assert min(seeds) > 9  # those of the repeats themselves


def one_millisecond(lanes, **arrivals):
    """A layout whose every request takes 1 ms."""
    settings = ServingSettings(
        **{"engine": "torch", "precision": "fp32", "scenario": "s", "mode": "server"},
        **{"load": "slo", "threads": lanes, "threads_requested": "1", "repeat": 1},
        **{"workload_seed": 1, "seconds": 1.0, "requests_at_least": 1, "capacity_seconds": 1.0},
        arrivals=arrivals or {"kind": "poisson"},
    )
    serving = Serving(None, Layout(1, lanes, 1), np.array([10, 20]), settings, print)
    return serving, Services(np.array([0.0005, 0.0, 0.0]), np.array([2.0]))


@pytest.mark.parametrize("lanes", [1, 2])
def test_no_rate_is_above_what_all_lanes_can_do_however_long_the_slo(lanes):
    serving, services = one_millisecond(lanes)
    found = highest_rate(serving, services, 10.0, 1, 4000)
    assert 0.98 * lanes * 1000 < found <= lanes * 1000


def test_a_trace_that_is_shorter_than_the_warm_up_has_a_rate(tmp_path):
    path = tmp_path / "trace.txt"
    path.write_text("\n".join(map(str, range(20))))
    serving, services = one_millisecond(1, kind="trace", file=str(path))
    found = highest_rate(serving, services, 0.0015, 1, 4000)
    assert found == pytest.approx(1000, rel=0.01)


def test_a_run_that_there_is_no_time_for_ends_the_search_with_the_reason():
    machine = Machine()
    found = find_rate(50.0, machine.highest(50.0), 1.0, machine.run, lambda rate, last: "no time")
    assert (found.status, found.rate_confident, found.stopped) == ("unconfirmed", 0.0, "no time")
    assert found.rate == pytest.approx(80, rel=0.01)
    assert machine.runs == []

    def only_probes(rate, last):
        return "no time" if last else ""

    found = find_rate(50.0, machine.highest(50.0), 0.9, machine.run, only_probes)
    assert (found.status, found.stopped) == ("unconfirmed", "no time")
    assert found.rate_confident == pytest.approx(0.9 * found.rate)
    assert all(not last for *_, last in machine.runs)


def test_requests_at_a_low_rate_take_longer_than_a_search_may():
    assert too_long(10.0, 368, 600.0, 600.0) == ""
    assert too_long(0.5, 368, 600.0, 600.0) == (
        "368 requests at 0.5 a second take 736 s, of 600 s 600 are left; give the scenario more "
        "seconds or fewer requests"
    )
