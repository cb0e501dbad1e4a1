"""A cell's JSON, of mode `batches`: how it was taken and what follows from its raw samples."""

import dataclasses
import json

import pytest

from bertsquad.benchmark.batches import cell_of
from bertsquad.benchmark.cell import Settings
from bertsquad.benchmark.scenario import Measurement

SETTINGS = Settings(
    engine="torch",
    precision="bf16",
    scenario="real-lengths",
    mode="batches",
    padding="none",
    batch_size=2,
    threads=2,
    threads_requested="all",
    repeat=1,
    warmup_iterations=3,
    iterations=4,
    workload_seed=0,
)
MEASUREMENT = Measurement(
    latency_samples_ms=[30.0, 10.0, 20.0, 40.0],
    features=8,
    tokens=1000,
    squared_lengths=140_000,
    computed_tokens=2000,
    model_load_s=0.5,
    first_inference_s=0.25,
    cold_s=0.1,
    memory_before_load_mib=300.0,
    memory_after_load_mib=500.0,
    peak_memory_mib=900.0,
)


def test_rates_and_percentiles_follow_from_the_samples():
    cell = cell_of(SETTINGS, MEASUREMENT)
    latency = cell["latency_ms"]
    assert [latency[name] for name in ("mean", "min", "max", "n")] == [25.0, 10.0, 40.0, 4]
    # 4 batches are too few for any percentile: a median takes 6.
    needs = {name: latency[name]["needs"] for name in ("p50", "p90", "p95", "p99")}
    assert needs == {"p50": 6, "p90": 36, "p95": 72, "p99": 368}
    assert {latency[name]["value"] for name in needs} == {None}
    assert cell["features_per_second"] == pytest.approx(80)
    assert cell["useful_tokens_per_second"] == pytest.approx(10_000)
    assert cell["computed_tokens_per_second"] == pytest.approx(20_000)


def test_raw_samples_stay_in_the_order_they_were_taken():
    assert cell_of(SETTINGS, MEASUREMENT)["latency_samples_ms"] == [30, 10, 20, 40]


def test_it_says_what_was_inside_the_clock():
    assert "packed NumPy arrays" in cell_of(SETTINGS, MEASUREMENT)["timed_region"]


def test_it_holds_every_setting_and_is_json():
    cell = cell_of(SETTINGS, MEASUREMENT)
    assert json.loads(json.dumps(cell)) == cell
    for name in ("engine", "precision", "scenario", "padding", "batch_size", "threads", "repeat"):
        assert cell[name] == getattr(SETTINGS, name)
    assert cell["warmup_iterations"] == 3
    assert cell["iterations"] == 4


def slow_at_first(tokens):
    """40 batches that take 50 % longer than the 160 after them."""
    return Measurement(
        latency_samples_ms=[
            0.1 * n * (1.5 if place < 40 else 1.0) for place, n in enumerate(tokens)
        ],
        features=400,
        tokens=sum(tokens),
        squared_lengths=1,
        computed_tokens=sum(tokens),
        model_load_s=0.5,
        first_inference_s=0.25,
        cold_s=0.1,
        memory_before_load_mib=300.0,
        memory_after_load_mib=500.0,
        peak_memory_mib=900.0,
        batch_tokens=tokens,
    )


def test_batches_before_it_is_steady_are_kept_but_count_for_nothing():
    tokens = [100 + 50 * (place * 7 % 5) for place in range(200)]
    cell = cell_of(SETTINGS, slow_at_first(tokens))
    assert (cell["steady"]["class"], cell["steady"]["dropped"]) == ("warm-up", 40)
    assert len(cell["latency_samples_ms"]) == 200
    assert cell["latency_ms"]["n"] == 160
    assert cell["latency_ms"]["max"] == pytest.approx(30.0)
    assert cell["useful_tokens_per_second"] == pytest.approx(10_000)
    assert cell["features_per_second"] == pytest.approx(
        320_000 / sum(cell["latency_samples_ms"][40:])
    )
    assert cell["features"] == 400  # all that was timed


def test_lengths_are_no_drift():
    tokens = [100 + 2 * place for place in range(200)]  # ever longer batches
    steady = dataclasses.replace(
        slow_at_first(tokens), latency_samples_ms=[0.1 * n for n in tokens]
    )
    assert cell_of(SETTINGS, steady)["steady"]["class"] == "flat"


def test_batches_that_depend_on_their_neighbours_have_other_intervals():
    tokens = [100] * 200
    samples = [10.0 + (place // 10 % 2) * 0.1 for place in range(200)]
    waves = dataclasses.replace(slow_at_first(tokens), latency_samples_ms=samples)
    cell = cell_of(SETTINGS, waves)
    assert cell["steady"]["correlation"] > 0.5
    assert "batch means" in cell["latency_ms"]["p50"]["method"]


def test_of_few_batches_it_cannot_be_told():
    assert cell_of(SETTINGS, MEASUREMENT)["steady"] == {"needs": 100, "correlation": 0.0}
