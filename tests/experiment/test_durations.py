"""Seconds of a job, by what it multiplies and what it does besides."""

import pytest

from bertsquad.experiment.durations import NONE, Durations, Job, Span, together
from bertsquad.machine.rates import Rates
from experiment.test_files import experiment

# What benchmark/ceilings.py measured on two cores of Zen 4 and of Zen 3 (docs/results).
ZEN4 = Rates({"fp32": 211.0, "bf16": 426.0}, 2, measured=True)
ZEN3 = Rates({"fp32": 165.0, "int8": 307.0}, 2, measured=True)


def of(name, rates, rule, **wildcards):
    return Durations(experiment(name), rates).of(Job(rule, wildcards))


def test_the_guide_trains_about_fifty_hours_a_run_on_two_cores_of_zen_4():
    found = of("guide.yaml", ZEN4, "finetune", run="guide-bf16")
    assert 50 < found.low / 3600 < 55
    assert 65 < found.high / 3600 < 75


def test_minilm_was_trained_an_epoch_in_the_time_expected():
    """1,430 tokens a second alone on the machine, 15.1 million tokens (docs/results/minilm), two
    epochs; its BF16 was emulated."""
    found = of("minilm.yaml", ZEN3, "finetune", run="minilm-bf16")
    assert found.low < 2 * 15.1e6 / 1430 < found.high


def test_a_thread_of_the_demo_takes_as_long_as_it_did():
    """133 s on one core of Zen 4."""
    found = of("config.yaml", ZEN4, "finetune", run="demo-fp32")
    assert found.low < 133 < found.high < 4 * found.low


def test_more_epochs_take_longer_and_none_only_starts():
    one, two = (
        Durations(experiment("minilm.yaml", {"runs": {"a": {"epochs": epochs}}}), ZEN4).of(
            Job("finetune", {"run": "a"})
        )
        for epochs in (1, 2)
    )
    assert two.low - one.low == pytest.approx(one.low - 2.0)
    assert of("guide.yaml", ZEN4, "finetune", run="intel-published") == Span(2.0, 6.0)


def test_padded_cells_take_longer_than_those_at_real_lengths():
    cell = {"run": "guide-bf16", "engine": "torch", "precision": "fp32", "batch": "32"}
    padded, real = (
        Durations(experiment("guide.yaml"), ZEN4).of(
            Job("benchmark_inference", {**cell, "scenario": name, "threads": "all"})
        )
        for name in ("padded", "real-lengths")
    )
    assert padded.low > 2 * real.low


def test_a_part_of_the_logits_takes_its_part():
    cell = {"run": "guide-bf16", "engine": "torch", "precision": "fp32"}
    whole = of("guide.yaml", ZEN4, "compute_logits", **cell)
    part = of("guide.yaml", ZEN4, "compute_logits_shard", shard="3", shards="4", **cell)
    assert part.low - 2 == pytest.approx((whole.low - 2) / 4)


def test_a_budget_of_seconds_is_what_a_cell_takes():
    cell = {"run": "demo-fp32", "engine": "torch", "precision": "fp32", "scenario": "offline"}
    job = Job("benchmark_inference", {**cell, "batch": "auto", "threads": "all"})
    found = Durations(experiment(), ZEN4).of(job)
    assert (found.low, found.high) == pytest.approx((4.5, 10.9))


def test_of_what_another_program_trains_nothing_is_said():
    assert of("guide.yaml", ZEN4, "modelzoo_train", step="train") is None
    assert of("guide.yaml", ZEN4, "all") == NONE


def test_jobs_that_take_the_machine_queue_and_the_others_share_it():
    ten = Span(10.0, 20.0)
    assert together([(2, ten), (2, ten)], 2) == Span(20.0, 40.0)
    assert together([(1, ten), (1, ten)], 2) == Span(10.0, 26.0)
    assert together([(1, ten)], 2) == Span(10.0, 20.0)
    assert together([(1, ten), (2, ten)], 2) == Span(20.0, 40.0)


def test_threads_are_those_of_the_rules():
    demo, guide = (Durations(experiment(name), ZEN4) for name in ("config.yaml", "guide.yaml"))
    assert demo.threads(Job("finetune", {"run": "demo-fp32"})) == 1
    assert guide.threads(Job("finetune", {"run": "guide-bf16"})) == 2
    assert guide.threads(Job("compute_logits", {"run": "guide-bf16"})) == 2
    assert guide.threads(Job("predict", {"run": "guide-bf16"})) == 1
    assert guide.threads(Job("featurize", {})) == 2
    assert guide.threads(Job("quantize", {"engine": "openvino"})) == 2
    assert guide.threads(Job("quantize", {"engine": "onnxruntime"})) == 1
