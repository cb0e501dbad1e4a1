"""verify_cells.py: a file of this very machine is measured again by the benchmark."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bertsquad.machine.cpu import cpu_model
from bertsquad.planner.cells import as_text
from bertsquad.planner.export import Run, describe_machine, export
from made_cells import FinishedRun
from project import ROOT


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> FinishedRun:
    return FinishedRun(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def machine(run) -> Path:
    """As probe_machine.py would describe this one."""
    data = json.loads(run.machine.read_text())
    data["cpu"]["model"] = str(cpu_model())
    path = run.machine.with_name("here.json")
    path.write_text(json.dumps(data))
    return path


@pytest.fixture(scope="module")
def cells(run, machine) -> Path:
    described = json.loads(run.machine.read_text())
    found = export(
        run.results.cells,
        runs={"demo": Run("tiny", "made-up", run.features, run.model)},
        metrics=run.results.metrics,
        comparisons=run.results.comparisons,
        machine=described,
        source="machine.json",
    )
    here = describe_machine(json.loads(machine.read_text()), "here.json")
    path = machine.with_name("cells.json")
    path.write_text(as_text(found | {"machine": here}))
    return path


def verify(run: FinishedRun, cells: Path, machine: Path, output: Path, *options: str):
    return subprocess.run(
        [
            *(sys.executable, "scripts/verify_cells.py", cells, "--machine", machine),
            *("--run", "demo", "tiny", "made-up", run.features, run.model),
            *("--results", run.results.root, "--output", output, *options),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_cells_are_measured_by_the_benchmark_and_set_beside_the_file(run, cells, machine, tmp_path):
    output = tmp_path / "verified_cells.json"
    options = ("--count", "1", "--repeats", "2", "--seconds", "0.05", "--seed", "2")
    done = verify(run, cells, machine, output, *options, "--quiet-seconds", "0")
    assert done.returncode == 0, done.stderr
    first, second, *_, last = done.stdout.splitlines()
    assert first.startswith(f"{cells}: 2 cells of ")
    assert first.endswith("2 cores; 1 drawn with seed 2")
    assert " times as fast here (" in second
    found = json.loads(output.read_text())
    assert last == f"in all: {found['verdict']}"
    (row,) = found["cells"]
    assert row["ratio"]["low"] <= row["ratio"]["value"] <= row["ratio"]["high"]
    times = sum(row["here_ms"]) / 2
    assert row["ratio"]["value"] == pytest.approx(row["there_ms"] / times, rel=0.5)
    assert len(row["here_ms"]) == len(row["validity"]) == 2
    assert found["seed"] == 2


def test_without_a_seed_one_is_drawn_and_kept(run, cells, machine, tmp_path):
    data = json.loads(cells.read_text())
    other = tmp_path / "other.json"
    data["runs"]["demo"]["checkpoint"] = "large"
    other.write_text(json.dumps(data))
    seeds = []
    for name in ("a.json", "b.json"):
        done = verify(run, other, machine, tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert "not measured    demo" in done.stdout
        assert "another model here (checkpoint tiny, there large)" in done.stdout
        assert done.stdout.endswith("in all: not measured\n")
        seeds.append(json.loads((tmp_path / name).read_text())["seed"])
    assert seeds[0] != seeds[1]


def test_what_is_no_cells_json_is_one_line(run, machine, tmp_path):
    output = tmp_path / "out.json"
    done = verify(run, machine, machine, output)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("verify_cells.py: error: ")
    assert "not a cells.json" in line
    assert not output.exists()
