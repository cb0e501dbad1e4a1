"""The timed loop: what it runs, what it counts, and what stays outside the clock."""

import gc

import numpy as np
import pytest

from benchmark.stand_ins import FakeClock, FakeEngine, FakeFeatures
from bertsquad.benchmark.scenario import measure
from bertsquad.benchmark.workload import Workload

LENGTHS = np.array([10, 20, 30], np.int32)
WORKLOAD = Workload(
    first=np.array([0, 1]),
    warmup=[np.array([1, 2]), np.array([2, 0])],
    timed=[np.array([0, 2]), np.array([1, 1]), np.array([2, 2])],
)


def measured(padding="none", **options):
    clock = FakeClock()
    engine = FakeEngine(clock)

    def load():
        clock.pass_ms(2500)
        return engine

    features = FakeFeatures(LENGTHS, clock)
    options = {"clock": clock, **options}
    return measure(load, features, WORKLOAD, padding=padding, **options), engine


def test_a_sample_is_packing_and_engine_together():
    measurement, _ = measured()
    assert measurement.latency_samples_ms == [21.0, 21.0, 21.0]


def test_loading_and_the_first_inference_have_their_own_times():
    measurement, _ = measured()
    assert measurement.model_load_s == 2.5
    assert measurement.first_inference_s == pytest.approx(0.121)


def test_first_then_every_shape_then_warm_up_then_timed():
    _, engine = measured()
    visits = [[2, 2], [0, 2], [1, 1]]  # 60 tokens, and 40 twice: the longest first
    expected = [[0, 1], *visits, [1, 2], [2, 0], [0, 2], [1, 1], [2, 2]]
    assert engine.calls == [("packed", batch) for batch in expected]


class PreparingEngine(FakeEngine):
    """Takes 40 ms more for a shape, whatever its order, that it has not met."""

    def run(self, batch):
        _, numbers = batch
        if sorted(numbers) not in [sorted(met) for _, met in self.calls]:
            self.clock.pass_ms(40)
        return super().run(batch)


def test_preparing_shapes_is_in_no_sample_but_in_a_number_of_its_own():
    clock = FakeClock()
    features = FakeFeatures(LENGTHS, clock)
    measurement = measure(
        lambda: PreparingEngine(clock), features, WORKLOAD, padding="none", clock=clock
    )
    assert measurement.latency_samples_ms == [21.0, 21.0, 21.0]
    assert measurement.cold_s == pytest.approx(0.120)


def test_an_engine_that_prepares_nothing_has_no_cold_time():
    assert measured()[0].cold_s == 0.0


def test_padded_batches_of_one_size_are_one_shape():
    _, engine = measured("max_length")
    assert len(engine.calls) == 1 + 1 + 2 + 3


def test_padded_batches_go_the_padded_way():
    _, engine = measured("max_length")
    assert {form for form, _ in engine.calls} == {"padded"}


def test_only_timed_batches_are_counted():
    measurement, _ = measured()
    assert measurement.features == 6
    assert measurement.tokens == 10 + 30 + 20 + 20 + 30 + 30
    assert measurement.computed_tokens == measurement.tokens


def test_padding_is_computed_but_not_useful():
    measurement, _ = measured("max_length")
    assert measurement.tokens == 140
    assert measurement.computed_tokens == 6 * 384


def test_progress_is_told_outside_the_clock():
    clock = FakeClock()
    phases = []

    def slow_progress(phase, done, total):
        phases.append((phase, done, total))
        clock.pass_ms(1000)

    measurement = measure(
        lambda: FakeEngine(clock),
        FakeFeatures(LENGTHS, clock),
        WORKLOAD,
        padding="none",
        clock=clock,
        progress=slow_progress,
    )
    assert measurement.latency_samples_ms == [21.0, 21.0, 21.0]
    assert phases == [
        *[("load", 0, 1), ("warm-up of all shapes", 0, 3), ("warm-up", 0, 2), ("warm-up", 1, 2)],
        *[("timing", 0, 3), ("timing", 1, 3), ("timing", 2, 3)],
    ]


def test_the_garbage_collector_is_off_while_timing_and_on_again_after():
    states = []
    measured(progress=lambda phase, done, total: states.append((phase, gc.isenabled())))
    assert set(states) == {
        *[("load", True), ("warm-up of all shapes", True), ("warm-up", True), ("timing", False)]
    }
    assert gc.isenabled()


def test_the_garbage_collector_is_on_again_after_a_failure():
    def fail_in_timing(phase, done, total):
        if phase == "timing":
            raise RuntimeError

    with pytest.raises(RuntimeError):
        measured(progress=fail_in_timing)
    assert gc.isenabled()


def test_the_peak_is_not_below_what_was_there_before():
    measurement, _ = measured()
    assert 1 < measurement.memory_before_load_mib <= measurement.peak_memory_mib
    assert measurement.memory_after_load_mib <= measurement.peak_memory_mib


def test_an_unknown_padding_is_refused():
    with pytest.raises(ValueError, match="expected 'max_length' or 'none'"):
        measured("longest")
