"""Several kinds of machines in the workflow: what is planned, and what is no reason to measure."""

import json
import re
import shutil

import pytest

from project import Project

HALF = "results/machines/half.json"
TWO = "machines={half: {constraint: a}, whole: {}}"
SCORED = "machines={half: {constraint: a, accuracy: true}, whole: {}}"
ON_HALF = "results/demo-fp32/torch-fp32/machines/half"


def test_each_kind_is_probed_and_timed_and_all_else_is_made_once(fresh):
    one, two = fresh.planned(), fresh.planned("--config", TWO)
    assert two["probe_machine"] == 2 * one["probe_machine"]
    assert two["benchmark_inference"] == 2 * one["benchmark_inference"]
    differs = {"probe_machine", "benchmark_inference"}
    assert {k: v for k, v in one.items() if k not in differs} == {
        k: v for k, v in two.items() if k not in differs
    }


def test_a_kind_whose_accuracy_is_asked_for_answers_and_is_scored_by_itself(fresh):
    two, scored = fresh.planned("--config", TWO), fresh.planned("--config", SCORED)
    assert scored == two | {
        "compute_logits_on_machine": 15,
        "predict_on_machine": 15,
        "evaluate_on_machine": 15,
        "compare_answers_on_machine": 15,
    }
    asked = fresh.planned("accuracy", "--config", SCORED)
    assert asked["evaluate_on_machine"] == asked["compare_answers_on_machine"] == 15


def test_its_logits_answers_and_scores_are_made_by_jobs_of_that_kind(fresh):
    """The comparison with what is computed once may be made anywhere."""
    asked = [f"{ON_HALF}/{name}" for name in ("comparison.json", "metrics.json")]
    done = fresh.snakemake("-n", *asked, "--config", SCORED)
    parts = re.split(r"^rule (\w+):", done.stdout, flags=re.M)
    each = zip(parts[1::2], parts[2::2], strict=True)
    jobs = {rule: job for rule, job in each if rule.endswith("_on_machine")}
    made = {rule: re.search(r"output: (\S+)", job)[1].strip(",") for rule, job in jobs.items()}
    assert made == {
        "compute_logits_on_machine": f"{ON_HALF}/logits.safetensors",
        "predict_on_machine": f"{ON_HALF}/predictions.json",
        "evaluate_on_machine": f"{ON_HALF}/metrics.json",
        "compare_answers_on_machine": f"{ON_HALF}/comparison.json",
    }
    assert {rule: "constraint=a" in job for rule, job in jobs.items()} == {
        "compute_logits_on_machine": True,
        "predict_on_machine": True,
        "evaluate_on_machine": True,
        "compare_answers_on_machine": False,
    }


def test_a_kind_that_is_not_asked_has_no_answers_of_its_own(fresh):
    whole = ON_HALF.replace("half", "whole")
    done = fresh.snakemake("-n", f"{whole}/metrics.json", "--config", SCORED)
    assert "MissingRuleException" in done.stderr + done.stdout


@pytest.mark.slow
def test_on_the_same_machine_its_answers_are_those_that_are_computed_once(demo, tmp_path):
    project = Project(shutil.copytree(demo.folder, tmp_path / "bertsquad", symlinks=True))
    files = [f"{ON_HALF}/{name}" for name in ("comparison.json", "metrics.json")]
    done = project.snakemake(*files, "--cores", "all", "--config", SCORED)
    assert done.returncode == 0, done.stdout + done.stderr
    change = json.loads((project.folder / files[0]).read_text())
    assert change["reference"] == "torch-fp32"
    assert (change["changed_answers"], change["max_logit_difference"]) == (0, 0.0)
    folder = project.folder / ON_HALF
    once = folder.parent.parent
    for name in ("predictions.json", "nbest_predictions.json", "metrics.json"):
        assert (folder / name).read_bytes() == (once / name).read_bytes()
    assert project.planned(*files, "--config", SCORED.replace("constraint: a", "mem_mb: 9")) == {}


def test_a_plan_is_of_the_cells_of_all_kinds(fresh):
    planned = fresh.planned("plan", "--config", TWO)
    assert planned["export_cells"] == 2
    assert fresh.planned("results/machines/half/cells.json", "--config", TWO)["export_cells"] == 1


def test_what_a_plan_reads_of_a_kind_has_its_own_scores_of_the_timed_run(fresh):
    planned = fresh.planned("results/machines/half/cells.json", "--config", SCORED)
    assert planned["evaluate_on_machine"] == 5
    assert "compare_answers_on_machine" not in planned


def test_speed_is_measured_on_each_kind_in_cells_of_its_own(fresh):
    """In every precision, whatever the processor that plans has: 7, in 3 scenarios."""
    assert fresh.planned("speed", "--config", TWO) == {
        "generate_random_model": 1,
        "quantize_random_model": 2,
        "measure_ceilings_on_machine": 2,
        "measure_speed_on_machine": 2 * 7 * 3,
        "summarize_speed_on_machine": 2,
        "speed": 1,
    }
    cell = "results/speed/torch-bf16/benchmark/half/padded/batch4-threadsall-repeat1.json"
    done = fresh.snakemake("-n", "-p", cell, "--config", TWO)
    assert "--emulated refuse" in done.stdout
    assert "constraint=a" in done.stdout


@pytest.mark.slow
def test_other_resources_are_no_reason_to_probe_or_measure_again(fresh):
    done = fresh.snakemake(HALF, "--cores", "1", "--config", TWO)
    assert done.returncode == 0, done.stdout + done.stderr
    machine = json.loads((fresh.folder / HALF).read_text())
    assert machine["cpu"]["identity"]["cores"] == len(machine["allowed_cpus"])
    assert "host" in machine
    other = "machines={half: {slurm_partition: b, mem_mb: 900}, more: {}}"
    assert fresh.planned(HALF, "--config", other) == {}


def test_a_mistake_is_one_line_before_the_first_job(fresh):
    for given, said in (
        ("machines={half: {pace: 3}}", "machines.half: pace is given by the workflow itself"),
        ("plan={rate: 3, machines: {epyc: {}}}", "plan.machines.epyc: an unknown machine"),
    ):
        config = [given] if given.startswith("machines") else [given, TWO]
        done = fresh.snakemake("-n", "--config", *config)
        assert done.returncode == 2
        [line] = [line for line in done.stderr.splitlines() if "bertsquad: error" in line]
        assert said in line
