"""Services count from when they are steady on."""

import numpy as np
import pytest

from bertsquad.benchmark.lanes import Schedule
from bertsquad.benchmark.layout import Layout
from bertsquad.benchmark.samples import Samples
from bertsquad.benchmark.serving import Serving, ServingSettings

LENGTHS = np.array([50, 100, 200])


class Fleet:
    """Serves by one lane; a request takes 10 us a token, times `factors` by its place."""

    def __init__(self, factors):
        self.factors = factors

    def serve(self, schedule: Schedule):
        count = len(self.factors)
        took = 1e4 * schedule.tokens[:count] * self.factors
        end = np.cumsum(took).astype(np.int64)
        start = end - took.astype(np.int64)
        zeros = np.zeros(count, np.int64)
        samples = Samples(
            *(schedule.due_ns[:count], start, end, schedule.features[:count]),
            *(schedule.tokens[:count], zeros, np.arange(count)),
        )
        return samples, (None, None)


def saturated(monkeypatch, factors):
    monkeypatch.setattr("bertsquad.benchmark.serving.difference", lambda *_: {})
    settings = ServingSettings(
        *("torch", "fp32", "s", "saturated", "saturated", 1, "1x1x1", 1, 1, 1.0, 1, 1.0),
        arrivals={"kind": "poisson"},
    )
    serving = Serving(Fleet(factors), Layout(1, 1, 1), LENGTHS, settings, lambda *_: None)
    return serving.saturate(1.0)


def noise(count):
    return np.exp(0.01 * np.random.default_rng(1).standard_normal(count))


def test_what_was_slower_at_first_counts_for_no_service(monkeypatch):
    factors = noise(1000)
    factors[:200] *= 1.5
    run, capacity, services = saturated(monkeypatch, factors)
    assert (run.steady.kind, run.steady.dropped) == ("warm-up", 200)
    assert services.expected(np.array([100]))[0] == pytest.approx(0.001, rel=0.01)
    assert len(run.services()[0]) == 800
    assert capacity.requests == 1000
    assert run.describe_steady()["steady"]["class"] == "warm-up"


def test_flat_services_all_count(monkeypatch):
    run, _, services = saturated(monkeypatch, noise(1000))
    assert run.steady.kind == "flat"
    assert len(run.services()[0]) == len(services.residuals) == 1000


def test_of_too_few_nothing_is_told(monkeypatch):
    run, _, services = saturated(monkeypatch, noise(50))
    assert run.describe_steady() == {}
    assert len(services.residuals) == 50
