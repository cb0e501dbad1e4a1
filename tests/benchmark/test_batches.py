"""Mode `batches` within a budget: as many as fit, of all lengths, and a cell that says so."""

from dataclasses import replace

import numpy as np
import pytest

from benchmark.stand_ins import FakeClock, FakeFeatures
from benchmark.test_cell import SETTINGS
from bertsquad.benchmark import batches, scenario
from bertsquad.benchmark.squad_lengths import read_lengths

LENGTHS = read_lengths()


class Metronome:
    """A millisecond a token, wherever it is computed."""

    def __init__(self, clock, lengths):
        self.clock, self.lengths, self.asked = clock, lengths, []

    def run(self, batch):
        _, numbers = batch
        self.asked.append(numbers)
        self.clock.pass_ms(int(self.lengths[numbers].sum()))

    def run_padded(self, form, numbers, segments):
        self.asked.append(numbers)
        self.clock.pass_ms(384 * len(numbers))


@pytest.fixture
def measured(monkeypatch):
    """The cell, and the batches that were run, of a budget of `seconds`."""
    clock = FakeClock()
    monkeypatch.setattr(FakeFeatures, "packed", lambda self, numbers: ("packed", numbers))
    measure = scenario.measure

    def by_the_fake_clock(*arguments, **options):
        return measure(*arguments, clock=clock, **options)

    monkeypatch.setattr(batches, "measure", by_the_fake_clock)

    def measured(lengths=LENGTHS, **changes):
        engine = Metronome(clock, lengths)
        settings = replace(
            SETTINGS, **{"warmup_iterations": 0, "iterations": 1, "batch_size": 1, **changes}
        )
        features = FakeFeatures(lengths, clock)
        cell = batches.measured(lambda: engine, features, settings, None, lambda *phase: None)
        return cell, engine.asked

    return measured


def test_requests_fill_the_time_with_all_lengths(measured):
    cell, _ = measured(seconds=8.0)
    assert cell["iterations"] == cell["latency_ms"]["n"] == 45  # of 178.5 ms
    assert sum(cell["latency_samples_ms"]) == pytest.approx(8000, rel=0.01)
    assert cell["tokens"] / cell["features"] == pytest.approx(178.5, rel=0.01)
    assert cell["seconds"] == 8.0


def test_a_slow_engine_still_meets_all_lengths(measured):
    cell, _ = measured(seconds=0.1)
    assert cell["latency_ms"]["n"] == 16
    assert cell["tokens"] / cell["features"] == pytest.approx(178.5, rel=0.01)


def test_padded_batches_are_at_least_as_many_as_a_median_takes(measured):
    cell, asked = measured(seconds=5.0, batch_size=4, padding="max_length")
    assert cell["latency_samples_ms"] == [1537.0] * 6  # packing takes 1 ms
    assert len(asked) == 1 + 1 + 1 + 6  # first, once more for its time, the one shape, timed


def test_few_features_are_run_again_until_three_quarters_of_the_time_are_over(measured):
    cell, _ = measured(np.full(20, 10, np.int32), seconds=1.0)
    assert cell["iterations"] == 80  # 20 of 10 ms, four times
    assert (cell["features"], cell["tokens"]) == (80, 800)
    assert cell["squared_lengths"] == 80 * 10 * 10
    assert cell["features_per_second"] == pytest.approx(100)


def test_without_a_budget_the_number_of_batches_decides(measured):
    cell, asked = measured(iterations=3)
    assert (cell["iterations"], cell["seconds"]) == (3, None)
    assert len(asked) == 1 + 3 + 3
