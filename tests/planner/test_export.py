"""cells.json of a finished run: whose requests they are, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fake_results
from bertsquad.benchmark.validity import validity
from bertsquad.benchmark.workload import make_workload
from bertsquad.console.errors import UserError
from bertsquad.data.features import Features
from bertsquad.planner.cells import read
from bertsquad.planner.export import Run, describe_machine, export
from made_cells import FinishedRun

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/export_cells.py"


@pytest.fixture
def run(tmp_path) -> FinishedRun:
    return FinishedRun(tmp_path)


def exported(run: FinishedRun, **changes):
    arguments = {
        "runs": {"demo": Run("tiny", "made-up", run.features, run.model)},
        "metrics": run.results.metrics,
        "comparisons": run.results.comparisons,
        "machine": fake_results.MACHINE,
        "source": "machine.json",
    }
    return export(run.results.cells, **(arguments | changes))


def test_the_cells_of_single_requests_are_taken_with_their_lengths_and_scores(run):
    found = exported(run)
    names = [(cell["engine"], cell["layout"]) for cell in found["cells"]]
    assert names == [("openvino", "1x1x2"), ("torch", "1x1x2")]
    openvino, torch = found["cells"]
    assert len(torch["lengths"]) == 80  # two repeats
    expected = [1 + length / 10 for length in torch["lengths"]]
    assert torch["service_ms"] == pytest.approx(expected)
    assert openvino["service_ms"] == pytest.approx([each / 2 for each in expected])
    assert (openvino["f1"], openvino["f1_share"], openvino["passed"]) == (88.0, 0.999, True)
    assert (torch["f1_share"], torch["passed"]) == (None, None)
    assert (torch["exact_match"], torch["f1"]) == (80.0, 88.0)
    ends = ("exact_match_low", "exact_match_high", "f1_low", "f1_high")
    assert [torch[name] for name in ends] == [77.0, 83.0, 85.0, 91.0]
    assert found["runs"]["demo"]["questions"]["features"] == 20
    assert found["machine"]["cpu"] == "Example Processor 9000"


def test_disturbed_repeats_are_left_aside_where_another_is_valid(run):
    for path in run.results.cells:
        if "torch" in str(path) and "repeat1" in path.name and "batch1-" in path.name:
            data = json.loads(path.read_text())
            data["validity"] = validity({"other_cpus": 1.25})
            path.write_text(json.dumps(data))
    torch = exported(run)["cells"][1]
    assert (len(torch["lengths"]), torch["validity"]) == (40, "valid")


def test_a_repeat_on_a_slower_clock_is_disturbed_here_as_in_the_summary(run):
    for path in run.results.cells:
        if "torch" in str(path) and path.name.startswith("batch1-"):
            data = json.loads(path.read_text())
            rate = 170.0 if "repeat1" in path.name else 200.0
            calibration = {"product": "numpy fp32", "before_gflops": rate, "after_gflops": rate}
            path.write_text(json.dumps(data | {"calibration": calibration}))
    torch = exported(run)["cells"][1]
    assert (len(torch["lengths"]), torch["validity"]) == (40, "valid")


def test_other_questions_are_refused(run):
    path = next(path for path in run.results.cells if "batch1-" in path.name)
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"tokens": data["tokens"] + 1}))
    with pytest.raises(UserError, match="measured on other questions: 40 requests"):
        exported(run)


def test_requests_that_a_budget_timed_in_several_passes_are_taken_in_their_order(run):
    features = Features.open(run.features)
    workload = make_workload(features.lengths, batch_size=1, warmup=5, iterations=13)
    lengths = np.tile(features.lengths[np.concatenate(workload.timed)], 3)
    for path in run.results.cells:
        if "openvino" in str(path) and path.name.startswith("batch1-"):
            data = json.loads(path.read_text()) | {
                "seconds": 2.0,
                "iterations": 39,
                "latency_samples_ms": (1 + lengths / 10).tolist(),
                "batch_tokens": lengths.tolist(),
                "tokens": int(lengths.sum()),
            }
            path.write_text(json.dumps(data))
    openvino = exported(run)["cells"][0]
    assert openvino["lengths"] == [*lengths.tolist(), *lengths.tolist()]  # two repeats
    whole = make_workload(features.lengths, batch_size=1, warmup=5, iterations=39).timed
    assert sum(features.lengths[np.concatenate(whole)]) != sum(lengths)  # one pass of 39 it is not


def test_cells_of_another_machine_are_refused(run):
    machine = fake_results.MACHINE | {"cpu": {**fake_results.MACHINE["cpu"], "model": "Another"}}
    with pytest.raises(UserError, match=r"measured on Example Processor 9000, but .* Another"):
        exported(run, machine=machine)


@pytest.mark.parametrize(
    ("machine", "missing"),
    [
        ({}, "processor"),
        ({"cpu": {"model": {"unavailable": "no /proc"}}}, "processor"),
        ({"cpu": {"model": "X"}, "memory_mib": {"unavailable": "no"}}, "memory"),
        ({"cpu": {"model": "X"}, "memory_mib": 1.0}, "number of processors"),
    ],
)
def test_an_unknown_machine_is_refused(machine, missing):
    with pytest.raises(UserError, match=f"unknown machine: its {missing} could not be read"):
        describe_machine(machine, "machine.json")


def test_half_the_processors_are_another_machine():
    whole, half = ({**fake_results.MACHINE, "allowed_cpus": cpus} for cpus in ([0, 1], [0]))
    first, second = (describe_machine(machine, "machine.json") for machine in (whole, half))
    assert first["fingerprint"] != second["fingerprint"]
    assert (first["cores"], second["cores"]) == (2, 1)


def test_missing_cells_are_named(run):
    run.results.cells = [path for path in run.results.cells if "offline" in str(path)]
    with pytest.raises(UserError, match="no cell of single requests at real lengths; measure it"):
        exported(run)


def test_the_command_writes_what_a_plan_reads(run, tmp_path):
    output = tmp_path / "cells.json"
    command = [sys.executable, SCRIPT, "--run", "demo", "tiny", "made-up", run.features, run.model]
    command += ["--cells", *run.results.cells, "--metrics", *run.results.metrics]
    command += ["--comparisons", *run.results.comparisons, "--machine", run.machine]
    done = subprocess.run([*command, "--output", output], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2 cells of Example Processor 9000" in done.stdout
    assert len(read(output).cells) == 2


def test_a_layout_whose_lanes_were_all_busy_comes_before_its_requests_one_by_one(run):
    for layout in ("1x1x2", "2x1x1"):
        run.add_saturated("torch", layout, lengths=[12, 31], ms=[3.0, 5.0])
    cells = {(cell["engine"], cell["layout"]): cell for cell in exported(run)["cells"]}
    assert cells.keys() == {("openvino", "1x1x2"), ("torch", "1x1x2"), ("torch", "2x1x1")}
    assert cells["torch", "1x1x2"]["service_ms"] == [3.0, 5.0]
    assert cells["torch", "2x1x1"]["peak_mib"] == 512.0


def test_a_saturated_cell_of_other_questions_is_refused(run):
    run.add_saturated("torch", "2x1x1", lengths=[12, 400], ms=[3.0, 5.0])
    with pytest.raises(UserError, match="requests of 400 word pieces, which no feature has"):
        exported(run)


def test_how_services_change_under_load_comes_from_servers_of_the_same_layout(run):
    for layout in ("1x1x2", "2x1x1"):
        run.add_saturated("torch", layout, lengths=[12, 31], ms=[3.0, 5.0])
    run.add_server("torch", "2x1x1", inflation=1.2)
    run.add_server("torch", "2x1x1", inflation=1.1, repeat=2)
    run.add_server(
        "torch", "2x1x1", inflation=3.0, repeat=3, validity=validity({"other_cpus": 1.25})
    )
    run.add_server("torch", "1x1x2", inflation=1.4, batching={"max_tokens": 512, "wait_ms": 0})
    found = {(each["engine"], each["layout"]): each for each in exported(run)["cells"]}
    assert found["torch", "2x1x1"]["inflation"] == pytest.approx(1.15)
    assert found["torch", "1x1x2"]["inflation"] is None
    assert found["openvino", "1x1x2"]["inflation"] is None


def test_processes_of_a_cell_are_its_repeats_and_its_servers_beside_each_other(run):
    run.add_saturated("torch", "2x1x1", lengths=[12, 31], ms=[3.0, 5.0])
    run.add_server("torch", "2x1x1", 1.0, lengths=(12, 31), ms=(3.6, 6.0))
    found = {(each["engine"], each["layout"]): each for each in exported(run)["cells"]}
    assert found["torch", "2x1x1"]["processes"] == pytest.approx([1 / 1.1, 1.2 / 1.1], rel=0.02)
    assert found["torch", "1x1x2"]["processes"] == pytest.approx([1, 1])  # two repeats
