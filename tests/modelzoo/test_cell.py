"""The measurements of a run as JSON."""

import json

import pytest

from bertsquad.modelzoo.cell import (
    Arrivals,
    batch_ends,
    description,
    headline,
    observed,
    requested_settings,
)
from bertsquad.modelzoo.log import read_log
from modelzoo.test_log import BENCHMARK, TRAINING

ABOUT = {"cpu": "Example", "started_at": "2026-01-02T03:04:05+00:00"}


def settings(mode: str, **options) -> dict:
    return requested_settings(mode, "bfloat16", options, {"max_seq_length": "384"})


def test_a_benchmark_has_the_keys_of_our_own_cells():
    log = read_log(BENCHMARK.splitlines())
    cell = description("benchmark", log, Arrivals(), settings("benchmark"), ABOUT)
    expected = {
        "engine": "modelzoo",
        "precision": "bf16",
        "scenario": "guide",
        "padding": "max_length",
        "batch_size": 32,
        "max_seq_length": 384,
        "repeat": 1,
        "warmup_iterations": 6,
        "iterations": 24,
        "printed_features_per_second": 0.81,
        "cpu": "Example",
    }
    assert expected.items() <= cell.items()
    assert cell["features_per_second"] == pytest.approx(768 / 985.123456)
    assert cell["latency_ms"] == {}
    assert headline("benchmark", cell).startswith("0.81 features/s printed, 0.78 with the clock")


# Two examples a line, four a batch, batches that end at 10, 11, 12, ... s
EXAMPLES = list(range(2, 41, 2))
ARRIVALS = Arrivals(EXAMPLES, [10.0 + (count - 1) // 4 for count in EXAMPLES])


def test_batches_end_when_their_first_line_comes():
    assert batch_ends(ARRIVALS, 4)[:3] == [(1, 10.0), (2, 11.0), (3, 12.0)]


def test_the_arrival_of_lines_gives_a_speed_of_its_own():
    seen = observed(ARRIVALS, 4, 5)
    assert seen["observed_features_per_second"] == 4.0
    assert seen["latency_samples_ms"] == [1000.0] * 4


def test_a_line_that_tensorflow_prints_in_two_forms_arrives_once():
    arrivals = Arrivals()
    for examples, moment in [(10, 1.0), (10, 1.1), (20, 2.0), (20, 2.1)]:
        arrivals.add(examples, moment)
    assert arrivals == Arrivals([10, 20], [1.0, 2.0])


def test_batches_without_a_line_leave_no_latencies():
    few = Arrivals([4, 12, 20], [1.0, 3.0, 5.0])
    assert observed(few, 2, 1) == {
        "observed_features_per_second": 4.0,
        "latency_samples_ms": [],
    }


def test_without_lines_there_is_no_observed_speed():
    assert observed(Arrivals(), 4, 5)["observed_features_per_second"] is None


def test_latencies_are_summed_up_where_every_batch_was_seen():
    lines = [
        "Elapsed time: 4.0 num processed examples: 40 threshod_examples: 20",
        "throughput((num_processed_examples-threshod_examples)/Elapsedtime): 5.00",
    ]
    asked_for = settings("benchmark", batch_size=4)
    cell = description("benchmark", read_log(lines), ARRIVALS, asked_for, ABOUT)
    assert cell["latency_ms"]["mean"] == 1000.0
    assert cell["latency_ms"]["p50"]["needs"] == 6
    assert cell["features_per_second"] == 4.0


def test_training_adds_up_its_processes():
    speeds = [f"INFO:tensorflow:examples/sec: {speed}" for speed in (1, 1, 1.2, 1.3)]
    about = settings("training", mpi_num_processes=2, num_intra_threads=22)
    result = description("training", read_log([*TRAINING[:10], *speeds]), Arrivals(), about, {})
    assert result["examples_per_second"] == 2.5
    assert result["processes"] == 2
    assert result["threads"] == 22
    assert result["batch_size"] == 24
    assert headline("training", result) == "2.5 examples/s on 2 processes, 1824 steps"


def test_a_training_that_diverged_has_no_loss_and_can_be_written_as_json():
    log = read_log([*TRAINING, "INFO:tensorflow:Loss for final step: nan."])
    result = description("training", log, Arrivals(), settings("training"), {})
    assert result["final_losses"] == [0.7215, None]
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_accuracy_keeps_what_was_printed():
    log = read_log(['{"exact_match": 80.0, "f1": 90.0}'])
    result = description("accuracy", log, Arrivals(), settings("accuracy"), {})
    assert result["printed"] == {"exact_match": 80.0, "f1": 90.0}
    assert headline("accuracy", result) == "exact_match 80.0, f1 90.0"


def test_what_is_not_given_is_the_launchers_default():
    assert requested_settings("training", "fp32", {}, {})["max_seq_length"] == 512
    assert requested_settings("benchmark", "fp32", {"batch_size": -1}, {})["batch_size"] == 32
    assert requested_settings("benchmark", "fp32", {}, {})["max_seq_length"] == 384
    zero = {"max_seq_length": "0"}
    assert requested_settings("benchmark", "fp32", {}, zero)["max_seq_length"] == 384
