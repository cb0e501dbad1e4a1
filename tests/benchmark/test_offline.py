"""A whole set at hand: which features, how often, and what is inside the clock."""

import numpy as np
import pytest

from benchmark.stand_ins import FakeClock, FakeFeatures
from bertsquad.benchmark.offline import measure
from bertsquad.benchmark.passes import spread
from bertsquad.benchmark.squad_lengths import read_lengths
from bertsquad.data.batching import by_length, by_tokens
from bertsquad.engines import Answered

LENGTHS = np.array([10, 40, 20, 30, 50, 60], np.int32)


class FakeEngine:
    """Takes 10 ms for each feature, 5 ms to plan batches of two, the longest first."""

    def __init__(self, clock):
        self.clock = clock
        self.streams = []

    def plan(self, lengths):
        self.clock.pass_ms(5)
        order = np.argsort(-lengths)
        return np.split(order, range(2, len(order), 2))

    def stream(self, batches):
        self.streams.append([])
        for form, numbers in batches:
            assert form == "packed"
            self.clock.pass_ms(10 * len(numbers))
            self.streams[-1].append(numbers)
            yield Answered(None, None, None)


def measured(**options):
    clock = FakeClock()
    engine = FakeEngine(clock)

    def load():
        clock.pass_ms(2500)
        return engine

    options = {"count": 6, "warmup": 2, "passes": 3, **options}
    return measure(load, FakeFeatures(LENGTHS, clock), clock=clock, **options), engine


def test_a_sample_is_one_pass_with_its_plan_and_its_packing():
    measurement, _ = measured()
    assert measurement.pass_samples_s == [pytest.approx(0.005 + 3 * 0.001 + 6 * 0.010)] * 3


def test_every_pass_runs_all_features_as_the_engine_plans_them():
    _, engine = measured()
    assert engine.streams[3:] == [[[5, 4], [1, 3], [2, 0]]] * 3


def test_before_the_passes_come_the_longest_batch_every_shape_and_some_from_all_over():
    _, engine = measured()
    assert engine.streams[:3] == [[[5, 4]], [[5, 4], [1, 3], [2, 0]], [[5, 4], [2, 0]]]


class PreparingEngine(FakeEngine):
    """Takes 40 ms more for lengths that it has not met."""

    def __init__(self, clock):
        super().__init__(clock)
        self.met = set()

    def stream(self, batches):
        for batch in batches:
            shape = tuple(sorted(LENGTHS[batch[1]]))
            self.clock.pass_ms(0 if shape in self.met else 40)
            self.met.add(shape)
            yield from super().stream([batch])


def test_preparing_shapes_is_in_no_pass_but_in_a_number_of_its_own():
    clock = FakeClock()
    options = {"count": 6, "warmup": 0, "passes": 3, "clock": clock}
    measurement = measure(lambda: PreparingEngine(clock), FakeFeatures(LENGTHS, clock), **options)
    once = 0.005 + 3 * 0.001 + 6 * 0.010
    assert measurement.pass_samples_s == [pytest.approx(once)] * 3
    # Two of three shapes: the first inference met the longest. A pass also plans, 5 ms.
    assert measurement.cold_s == pytest.approx(0.080 - 0.005)


def test_a_shape_that_comes_again_is_visited_once():
    clock = FakeClock()
    engine = FakeEngine(clock)
    lengths = np.array([10, 10, 10, 10, 30, 30], np.int32)
    options = {"count": 6, "warmup": 0, "passes": 1, "clock": clock}
    measure(lambda: engine, FakeFeatures(lengths, clock), **options)
    assert [len(stream) for stream in engine.streams] == [1, 2, 0, 3]


def test_loading_and_the_first_inference_have_their_own_times():
    measurement, _ = measured()
    assert measurement.model_load_s == 2.5
    assert measurement.first_inference_s == pytest.approx(0.021)


def test_counts_are_those_of_all_passes():
    measurement, _ = measured()
    assert (measurement.features, measurement.tokens) == (18, 3 * 210)
    assert measurement.computed_tokens == measurement.tokens
    assert measurement.batches == 3


def test_a_part_of_the_features_is_spread_over_their_lengths():
    _, engine = measured(count=3)
    assert engine.streams[-1] == [[5, 1], [2]]


def test_more_than_there_are_is_all_there_are_once():
    measurement, _ = measured(count=100, passes=1)
    assert measurement.features == 6


class Metronome(FakeEngine):
    """10 ms a feature, in batches of up to four; `threads` of them are probed at a time."""

    threads = 1

    def plan(self, lengths):
        return by_tokens(by_length(lengths), lengths, 4 * 384)


def within(seconds, lengths, **options):
    clock = FakeClock()
    engine = Metronome(clock)
    features = FakeFeatures(lengths, clock)
    features.packed = lambda numbers: ("packed", numbers.tolist())
    options = {"count": len(lengths), "warmup": 0, "passes": 1, "clock": clock, **options}
    return measure(lambda: engine, features, seconds=seconds, **options), engine


def test_within_a_budget_as_many_features_as_pass_in_it():
    lengths = read_lengths()
    measurement, engine = within(4.0, lengths)
    assert len(measurement.pass_samples_s) == 1
    assert measurement.features == 400
    assert measurement.tokens / measurement.features == pytest.approx(178.5, rel=0.01)
    # First one of the median length, then two to see how fast it is.
    assert [[lengths[n].tolist() for n in batches] for batches in engine.streams[:2]] == [
        [[164]],
        [[164], [164]],
    ]


def test_a_slow_engine_gets_the_fewest_features_and_never_more_than_asked():
    assert within(0.05, read_lengths())[0].features == 24
    assert within(0.05, read_lengths(), count=8)[0].features == 8


def test_few_features_pass_again_until_three_quarters_of_the_budget_are_over():
    measurement, _ = within(1.0, LENGTHS[:4])
    assert measurement.pass_samples_s == [pytest.approx(0.04)] * 19
    assert measurement.features == 19 * 4
    assert measurement.squared_lengths == 19 * (100 + 1600 + 400 + 900)


def test_spread_numbers_are_the_middles_of_equal_parts():
    assert spread(10, 2) == [2, 7]
    assert spread(3, 5) == [0, 1, 2]
    assert spread(0, 5) == spread(5, 0) == []
