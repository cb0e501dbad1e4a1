"""Two kinds of machines in one report and one plan: two partitions of a real Slurm, of which one
has half the processors."""

import json
import os

import pandas as pd
import pytest
import yaml

from project import Project
from services import small_run
from services.slurm_project import CONFIG, PROFILE, finished

KINDS = {
    "benchmark": yaml.safe_load(small_run.CONFIG)["benchmark"] | {"iterations": 40},
    "machines": {"half": {"slurm_partition": "half"}, "whole": {"slurm_partition": "cpu"}},
    "plan": {
        "rate": 2,
        "slo": {"percentile": 50, "ms": 5000},
        "length_classes": [512],
        "machines": {"half": {"most": 3}, "whole": {"most": 3}},
    },
}
A_GROUP_FOR_EACH_KIND = {
    "groups": {"benchmark_inference": "cells-{machine}"},
    "group-components": {"cells-{machine}": 20},
}


@pytest.fixture(scope="module")
def measured(slurm, on_host, tmp_path_factory) -> Project:
    """Trained and scored here, timed by both kinds of nodes."""
    folder = tmp_path_factory.mktemp("machines") / "bertsquad"
    project = finished(on_host, folder, KINDS, **A_GROUP_FOR_EACH_KIND)
    # One after the other: the nodes are one machine.
    done = project.snakemake("timings", *CONFIG, *PROFILE, "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    take_as_undisturbed(project)
    done = project.snakemake("results/report.html", "plan", *CONFIG, *PROFILE)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def take_as_undisturbed(project: Project) -> None:
    """The machine of the tests is what it is; a disturbed cell would be left out of a plan, which
    tests/planner holds."""
    cells = list((project.folder / "results/small").glob("*/benchmark/*/*/*.json"))
    assert len(cells) == 4
    for path in cells:
        cell = json.loads(path.read_text())
        cell["validity"] = {"verdict": "valid", "reasons": []}
        cell.pop("calibration", None)  # no cell is slower than another one's
        path.write_text(json.dumps(cell))


def read(project: Project, name: str) -> dict:
    return json.loads((project.folder / "results" / name).read_text())


def test_each_kinds_machine_json_and_cells_are_of_a_node_of_that_kind(measured):
    for kind, nodes, cores in (("half", {"n4"}, 1), ("whole", {"n1", "n2", "n3"}, 2)):
        cores = min(cores, os.cpu_count() or 1)
        machine = read(measured, f"machines/{kind}.json")
        assert machine["node"] in nodes
        assert machine["cpu"]["identity"]["cores"] == cores
        name = f"small/torch-fp32/benchmark/{kind}/real-lengths/batch1-threads1-repeat1.json"
        cell = read(measured, name)
        assert cell["node"] in nodes
        assert cell["cpu_identity"] == machine["cpu"]["identity"]
        assert cell["job"].isdecimal()


def test_table_and_report_tell_them_apart_and_hold_each_against_its_own(measured):
    table = pd.read_csv(measured.folder / "results/summary.csv", keep_default_na=False)
    cells = table[table["scenario"] != ""]
    assert sorted(set(cells["machine"])) == ["half", "whole"]
    assert not cells["validity_reasons"].str.contains("other_machine").any()
    html = (measured.folder / "results/report.html").read_text()
    assert "Kinds of machines" in html
    assert "machine half" in html
    assert "machine whole" in html


def test_one_plan_is_of_both(measured):
    plan = read(measured, "plan/plan.json")
    assert plan["status"] == "optimal"
    cores = {name: each["cores"] for name, each in plan["machines"].items()}
    assert cores == {"half": 1, "whole": min(2, os.cpu_count() or 1)}
    considered = {each["option"].split(":")[0] for each in plan["dropped"]}
    considered |= {row["machine"] for row in plan["fleet"]}
    assert plan["options_considered"] == 4, considered
