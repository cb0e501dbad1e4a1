"""Several kinds of machines in the workflow: what is planned, and what is no reason to measure."""

import json

import pytest

HALF = "results/machines/half.json"
TWO = "machines={half: {constraint: a}, whole: {}}"


def test_each_kind_is_probed_and_timed_and_all_else_is_made_once(fresh):
    one, two = fresh.planned(), fresh.planned("--config", TWO)
    assert two["probe_machine"] == 2 * one["probe_machine"]
    assert two["benchmark_inference"] == 2 * one["benchmark_inference"]
    differs = {"probe_machine", "benchmark_inference"}
    assert {k: v for k, v in one.items() if k not in differs} == {
        k: v for k, v in two.items() if k not in differs
    }


def test_a_plan_is_of_the_cells_of_all_kinds(fresh):
    planned = fresh.planned("plan", "--config", TWO)
    assert planned["export_cells"] == 2
    assert fresh.planned("results/machines/half/cells.json", "--config", TWO)["export_cells"] == 1


def test_speed_is_of_this_machine_whatever_kinds_there_are(fresh):
    assert fresh.planned("speed") == fresh.planned("speed", "--config", TWO)


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
