"""The Model Zoo's steps as a workflow, with the stand-in for the launcher, on this machine."""

import json
from pathlib import Path

import pytest

from modelzoo import stand_in
from modelzoo.stand_in import snakemake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A working directory with a stand-in Model Zoo."""
    folder = tmp_path_factory.mktemp("zoo")
    stand_in.install(folder / "models", stand_in.pretrained(folder))
    return folder


def test_the_guides_commands_are_run_scored_and_converted(folder):
    done = snakemake(folder, "modelzoo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "modelzoo.steps.train: warmup_steps=0: ignored for SQuAD" in done.stderr

    results = folder / "results/modelzoo"
    scores = json.loads((results / "accuracy/metrics.json").read_text())
    assert (scores["exact_match"], scores["f1"], scores["questions"]) == (90.0, 90.0, 510)
    cell = json.loads((results / "benchmark/result.json").read_text())
    assert cell["printed_features_per_second"] == pytest.approx(
        cell["features_per_second"] * 25 / 24, abs=0.01
    )
    assert cell["observed_features_per_second"] > 0
    training = json.loads((results / "train/result.json").read_text())
    assert (training["steps"], training["examples_per_second"]) == (1223, 2.0)
    model = json.loads((results / "train/model/config.json").read_text())
    assert model["layer_norm_eps"] == 1e-3
    assert model["architectures"] == ["BertForQuestionAnswering"]

    again = snakemake(folder, "modelzoo", "-n")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_a_launcher_that_fails_with_status_0_fails_its_job_alone(folder):
    done = snakemake(folder, "modelzoo", fails="crash")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "run_modelzoo.py: error: the Model Zoo's accuracy failed: a script ended with" in said
    assert "NotFoundError" in said
    assert not (folder / "results/modelzoo/accuracy/predictions.json").exists()
    for rule in ("modelzoo_train", "modelzoo_benchmark", "evaluate_modelzoo"):
        assert f"rule {rule}:" not in said


def test_the_commands_are_shown_and_nothing_is_run(tmp_path):
    done = snakemake(tmp_path, "modelzoo_command", source="somewhere")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "somewhere/benchmarks/launch_benchmark.py" in done.stdout
    assert "training/bfloat16/run_squad.py" in done.stdout
    assert "--do_lower_case=True" in done.stdout
    assert not (tmp_path / "results/modelzoo").exists()


def test_a_source_that_is_not_there_is_one_line(tmp_path):
    done = snakemake(tmp_path, "modelzoo", "-n", source="somewhere")
    assert done.returncode != 0
    assert "somewhere/benchmarks/launch_benchmark.py" in done.stdout + done.stderr
