"""What a side of a comparison runs in a turn."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmark.stand_ins import FakeClock, FakeEngine, FakeFeatures
from bertsquad.benchmark.side import Pass, batches, offline, slowed, take_turn


def ticking(clock: FakeClock, milliseconds: float = 10.0, requests: bool = True) -> Pass:
    """A pass of three items that take so long each, and 5 features."""
    return Pass([1, 2, 3], lambda item: clock.pass_ms(milliseconds), 5, requests)


def test_a_turn_is_whole_passes_until_it_took_long_enough():
    clock = FakeClock()
    turn = take_turn(ticking(clock), 0.1, clock=clock)
    assert turn["seconds"] == pytest.approx(0.12)
    assert turn["features"] == 4 * 5
    assert turn["requests"] == 12


def test_a_turn_has_at_least_one_pass_and_as_many_samples_as_are_asked_for():
    clock = FakeClock()
    assert take_turn(ticking(clock), 0.0, clock=clock)["requests"] == 3
    assert take_turn(ticking(clock), 0.0, 368, clock=clock)["requests"] == 369


def test_percentiles_are_those_that_so_many_requests_have():
    clock = FakeClock()
    assert take_turn(ticking(clock), 0.0, 6, clock=clock)["latency_ms"] == {"p50": 10.0}
    assert take_turn(ticking(clock), 0.0, 36, clock=clock)["latency_ms"].keys() == {"p50", "p90"}


def test_a_pass_over_a_set_has_no_latency():
    clock = FakeClock()
    assert "latency_ms" not in take_turn(ticking(clock, requests=False), 0.0, clock=clock)


def test_a_slow_down_takes_its_share_of_every_sample_longer():
    clock = FakeClock()

    def looked_at() -> int:
        clock.now += 1000  # looking at the clock takes a microsecond
        return clock.now

    turn = take_turn(slowed(ticking(clock), 0.05, looked_at), 0.0, clock=clock)
    assert turn["seconds"] == pytest.approx(3 * 0.0105, rel=1e-3)


def test_batches_are_those_of_a_cell_and_cover_about_so_many_features():
    clock = FakeClock()
    features, engine = FakeFeatures(np.arange(1, 21), clock), FakeEngine(clock)
    work = batches(engine, features, padding="none", batch_size=4, count=10)
    assert (len(work.items), work.features, work.requests) == (3, 12, True)
    turn = take_turn(work, 0.0, clock=clock)
    assert [len(indices) for _, indices in engine.calls] == [4, 4, 4]
    assert turn["features"] == 12


def test_offline_the_engine_cuts_the_batches():
    clock = FakeClock()
    seen: list = []
    engine = SimpleNamespace(
        plan=lambda lengths: [np.arange(len(lengths))[:3], np.arange(len(lengths))[3:]],
        stream=lambda given: map(seen.append, given),
    )
    work = offline(engine, FakeFeatures(np.arange(1, 21), clock), count=5)
    assert take_turn(work, 0.0, clock=clock)["features"] == 5
    assert [len(indices) for _, indices in seen] == [3, 2]
