"""Several kinds of machines: their files, what their jobs ask for, and what is said of them."""

import json
from types import SimpleNamespace

import pytest
from snakemake.resources import Resources

from bertsquad.console.errors import UserError
from bertsquad.experiment.config import resolve
from bertsquad.experiment.files import Experiment
from bertsquad.experiment.machines import Machines
from bertsquad.experiment.plan_files import PlanFiles
from bertsquad.experiment.served import Served
from project import ROOT

DEFAULT = Resources.from_mapping({"slurm_partition": "cpu", "mem_mb": 500})
SCHEMA = ROOT / "config/schemas/config.schema.yaml"
TWO = {"half": {"slurm_partition": "half", "mem_mb": 900}, "whole": {"constraint": "icx&amx"}}


def experiment(root="r", **changes) -> Experiment:
    config = {"checkpoint": "a", "dataset": "b", "runs": {"one": {}}, **changes}
    config.setdefault("benchmark", {"scenarios": {"real": {"padding": "none"}}})
    found = resolve(config, SCHEMA, "my.yaml")
    return Experiment(found, None, lambda path: path.replace("<results>", str(root)))


def of_two(root="r", **changes) -> Machines:
    return Machines(experiment(root, machines=TWO, **changes))


def test_without_machines_everything_lies_where_it_always_did():
    machines = Machines(experiment())
    assert (machines.folder, machines.probed) == ("", "<results>/machine.json")
    assert (machines.probe_log, machines.exported) == (
        *("<logs>/probe_machine.log", "<results>/cells.json"),
    )
    assert machines.files() == {"": "r/machine.json"}
    assert machines.options() == "--machine r/machine.json"
    assert set(machines.resources({}, pace=str)) == {"pace"}
    cells = experiment().cell_files()
    assert cells[0] == "r/one/torch-fp32/benchmark/real/batch1-threadsall-repeat1.json"
    assert "machines" not in experiment().config


def test_each_kind_has_a_folder_of_cells_and_a_machine_json():
    machines = of_two()
    cells = machines.experiment.cell_files()
    for name in ("half", "whole"):
        path = f"r/one/torch-fp32/benchmark/{name}/real/batch1-threadsall-repeat1.json"
        assert path in cells
    assert len(cells) == 2 * len(experiment().cell_files())
    assert machines.folder == "{machine}/"
    assert machines.files() == {"half": "r/machines/half.json", "whole": "r/machines/whole.json"}
    assert machines.options() == (
        "--kind half r/machines/half.json --kind whole r/machines/whole.json"
    )


def test_cells_under_load_have_the_folder_too():
    benchmark = {"scenarios": {"busy": {"mode": "saturated", "layouts": ["1x1x1"]}}}
    paths = Served(experiment(machines=TWO, benchmark=benchmark)).files()
    assert paths[0] == "r/one/torch-fp32/benchmark/half/busy/layout1x1x1-saturated-repeat1.json"


def test_what_a_job_asks_for_is_that_of_its_kind_and_comes_before_the_rules_own():
    machines = of_two()
    asked = machines.resources(DEFAULT, pace=str, mem_mb=lambda wildcards: 4000)
    assert asked.pop("pace") is str
    aux = {"input": [], "attempt": 1, "threads": 1, "rulename": "a", "async_run": None}
    half, whole = (SimpleNamespace(machine=name) for name in TWO)
    assert {name: each(half, **aux) for name, each in asked.items()} == {
        **{"mem_mb": 900, "slurm_partition": "half", "constraint": None},
    }
    # What only another kind names is the profile's default, which a rule's own would hide.
    assert {name: each(whole, **aux) for name, each in asked.items()} == {
        **{"mem_mb": 4000, "slurm_partition": "cpu", "constraint": "icx&amx"},
    }


SCORED = {"half": {"slurm_partition": "half", "accuracy": True}, "whole": {"accuracy": False}}


def test_a_kind_whose_accuracy_is_asked_for_makes_answers_of_its_own():
    machines = Machines(experiment(machines=SCORED))
    assert machines.scored == ["half"]
    assert machines.answers("metrics.json") == [
        "r/one/torch-fp32/machines/half/metrics.json",
        "r/one/torch-bf16/machines/half/metrics.json",
    ]
    assert of_two().answers("metrics.json") == Machines(experiment()).answers("metrics.json") == []


def test_that_its_accuracy_is_asked_for_is_no_resource_of_its_jobs():
    machines = Machines(experiment(machines=SCORED))
    assert machines.asked == {"half": {"slurm_partition": "half"}, "whole": {}}
    assert set(machines.resources(DEFAULT)) == {"slurm_partition"}


def test_accuracy_is_not_asked_for_where_nothing_is_said():
    found = experiment(machines=TWO).config["machines"]
    assert {name: each["accuracy"] for name, each in found.items()} == {
        "half": False,
        "whole": False,
    }


def test_a_plan_counts_on_the_scores_of_the_kind_where_it_has_its_own():
    files = plan_files(machines=SCORED)
    assert files.metrics("half") == [
        "r/one/torch-fp32/machines/half/metrics.json",
        "r/one/torch-bf16/machines/half/metrics.json",
    ]
    once = ["r/one/torch-fp32/metrics.json", "r/one/torch-bf16/metrics.json"]
    assert files.metrics("whole") == files.metrics() == once


def test_a_label_of_a_node_is_no_resource_of_a_job():
    machines = Machines(experiment(machines={"m7i": {"kubernetes.io/arch": "amd64"}}))
    assert machines.resources({}) == {}


@pytest.mark.parametrize(
    ("machines", "message"),
    [
        ({}, "machines: {} should be non-empty"),
        ({"half": {"pace": "x"}}, "machines.half: pace is given by the workflow itself"),
        ({"half": {"slurm_partition": True}}, "machines.half.slurm_partition: found true/false"),
        ({"half": None}, "machines.half: found nothing, expected a mapping"),
        ({"a/b": {}}, "machines: found the name 'a/b', expected letters"),
        ({"half": {"exclusive": True}}, "machines.half.exclusive: found true/false"),
        (
            {"half": {"accuracy": "half"}},
            "machines.half.accuracy: found the text 'half', expected true or false",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_one_line(machines, message):
    with pytest.raises(UserError) as error:
        experiment(machines=machines)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


ENGINES = {"openvino": ["fp32", "bf16"]}


def described(root, name, *flags):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cpu": {"flags": list(flags)}}), encoding="utf-8")


def test_of_each_kind_its_own_machine_json_says_what_it_cannot_run(tmp_path):
    machines = of_two(tmp_path, engines=ENGINES)
    assert list(machines.warnings(elsewhere=False)) == []  # nothing is known of them yet
    described(tmp_path, "machines/half.json", "avx2")
    described(tmp_path, "machines/whole.json", "avx2", "avx512_bf16")
    [line] = machines.warnings(elsewhere=True)
    assert line.startswith(f"{tmp_path}/machines/half.json: openvino bf16: ")


def test_a_login_nodes_processor_says_nothing_of_the_nodes(tmp_path):
    machines = Machines(experiment(tmp_path, engines=ENGINES))
    assert list(machines.warnings(elsewhere=True)) == []
    described(tmp_path, "machine.json", "avx2")
    [line] = machines.warnings(elsewhere=True)
    assert line.startswith(f"{tmp_path}/machine.json: openvino bf16: ")


def test_kinds_that_are_all_measured_on_one_machine_are_warned_of():
    machines = of_two()
    assert machines.mixed([{"machine": "half"}, {"run": "one"}, {"machine": "half"}]) == ""
    assert machines.mixed([{"machine": "whole"}, {"machine": "half"}]) == (
        "machines half, whole are all measured on this one, since no executor takes their jobs "
        "elsewhere; to measure one, ask for its files alone: snakemake r/machines/half/cells.json"
    )


def test_a_kind_that_is_another_machine_is_not_measured_here(tmp_path):
    same = {"model": "X", "flags_sha256": None, "cores": 1}
    machines, path = of_two(tmp_path), tmp_path / "machines/half.json"
    here = {"host": "n1", "cpu_identity": same | {"cores": 2}}
    machines.refuse_others([{"machine": "half"}], here)  # nothing is known of it yet
    path.parent.mkdir()
    path.write_text(json.dumps({"host": "n4", "cpu": {"model": "X", "identity": same}}))
    machines.refuse_others([{"machine": "whole"}, {"run": "one"}], here)
    machines.refuse_others([{"machine": "half"}], here | {"cpu_identity": same})
    with pytest.raises(UserError) as error:
        machines.refuse_others([{"machine": "half"}], here)
    assert str(error.value) == (
        "machine half would be measured on host n1, X, 2 processors; machine.json is of n4, X, "
        f"1 processor ({path}); run it there, or delete that file if this machine is to be half "
        "from now on"
    )


def plan_files(**changes) -> PlanFiles:
    return PlanFiles(experiment(**{"machines": TWO, **changes}))


def schema():
    from bertsquad.experiment.config import read_schema

    return read_schema(SCHEMA)


@pytest.mark.parametrize("changes", [{}, {"plan": {"rate": 3}}], ids=["no plan", "a plan"])
def test_a_plan_that_names_no_machines_is_of_all_kinds(changes):
    assert plan_files(**changes).machines(schema()) == {
        "half": "r/machines/half/cells.json",
        "whole": "r/machines/whole/cells.json",
    }


def test_kinds_of_this_experiment_and_files_of_others_are_planned_together(tmp_path):
    other = tmp_path / "cells.json"
    other.write_text("{}")
    plan = {"rate": 3, "machines": {"half": {"most": 2}, "epyc": {"cells": str(other)}}}
    files = plan_files(plan=plan)
    assert files.machines(schema()) == {
        "half": "r/machines/half/cells.json",
        "epyc": str(other),
    }
    files.check_machines(schema(), "my.yaml")
    assert json.loads(files.settings_text(schema()))["machines"]["half"]["most"] == 2


def test_a_kind_that_is_neither_configured_nor_has_a_file_is_unknown():
    with pytest.raises(UserError) as error:
        plan_files(plan={"rate": 3, "machines": {"half": {}, "here": {}}})
    assert str(error.value) == (
        "my.yaml: plan.machines.here: an unknown machine, without a file of cells; give `cells`, "
        "the cells.json that `snakemake export_cells` made there (known: half, whole)"
    )


def test_a_kinds_cells_are_its_own():
    assert plan_files().cells("half") == [
        f"r/one/torch-{precision}/benchmark/half/real/batch1-threadsall-repeat1.json"
        for precision in ("fp32", "bf16")
    ]
