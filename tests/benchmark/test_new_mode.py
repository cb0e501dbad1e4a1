"""The steps of CONTRIBUTING.md for a new scenario mode, walked: it is timed and reported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engines.small_run import write_features, write_finetuned
from fake_results import CHECKSUMS, MACHINE, Results, cell, config, write
from project import Project, copy_project

# 1. scripts/bertsquad/benchmark/bursts.py
MODULE = '''\
"""Mode `bursts`: all features at hand, in pairs."""

from bertsquad.benchmark.cell import describe_cell
from bertsquad.benchmark.offline import measure


def measured(load, features, settings, sources, progress):
    """The cell of a mode `bursts` measurement."""
    measurement = measure(
        load,
        features,
        count=2,
        warmup=settings.warmup_iterations,
        passes=settings.iterations,
        progress=progress,
    )
    samples_ms = [1000 * sample for sample in measurement.pass_samples_s]
    return describe_cell(settings, measurement, samples_ms, timed_region="a pair of features")
'''
# 2. its row in scripts/bertsquad/benchmark/modes.py
ROW = """\
        Mode(
            name="bursts",
            goal="throughput",
            whole_set=True,
            from_texts=False,
            rates=("features_per_second",),
            meaning="pairs of features",
            does="sends the engine pairs of features",
            panel="pairs",
        ),
"""
# 3. its name in config/schemas/config.schema.yaml
NAMES = "enum: [batches, offline, end_to_end, saturated, server]"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A checkout with the mode `bursts`, and a config of one run that uses it."""
    folder = copy_project(tmp_path_factory.mktemp("mode") / "bertsquad")
    (folder / "scripts/bertsquad/benchmark/bursts.py").write_text(MODULE)
    insert(folder / "scripts/bertsquad/benchmark/modes.py", "    )\n}\n", ROW)
    schema = folder / "config/schemas/config.schema.yaml"
    text = schema.read_text(encoding="utf-8")
    assert text.count(NAMES) == 1
    schema.write_text(text.replace(NAMES, NAMES.replace("]", ", bursts]")), encoding="utf-8")
    scenario = {"scenarios": {"pairs": {"mode": "bursts"}}}
    write(folder / "my.json", {"benchmark": scenario})
    return Project(folder)


def insert(path: Path, before: str, lines: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, lines + before), encoding="utf-8")


def run(project: Project, script: str, *options: object) -> None:
    command = [sys.executable, f"scripts/{script}.py", *map(str, options)]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_its_cells_are_planned(project):
    done = project.snakemake("-n", "-p", "--configfile", "config/config.yaml", "my.json")
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "/benchmark/pairs/batchauto-threads" in told
    assert "--mode bursts --padding none --count 1000" in told


def test_it_is_timed_and_reported(project, tmp_path):
    model = tmp_path / "run"
    write_features(model / "features", write_finetuned(model), [5, 33, 6, 20])
    results = tmp_path / "results"
    measured = results / "mine/torch-fp32/benchmark/pairs/batchauto-threads1-repeat1.json"
    run(
        project,
        "benchmark_inference",
        *("--engine", "torch", "--precision", "fp32", "--threads", 1, "--scenario", "pairs"),
        *("--mode", "bursts", "--batch-size", "auto", "--count", 4, "--warmup", 1),
        *("--iterations", 2, "--repeat", 1, "--model", model / "model"),
        *("--features", model / "features", "--output", measured),
    )
    data = json.loads(measured.read_text())
    assert (data["mode"], data["features"], data["timed_region"]) == (
        *("bursts", 4, "a pair of features"),
    )
    other = Results(results)
    path = results / "mine/torch-fp32/benchmark/padded/batch8-threads2-repeat1.json"
    other.cells += [measured, write(path, cell("torch", "fp32", "padded", 8, 10.0))]
    for name, value in {"machine": MACHINE, "config": config(), "inputs": CHECKSUMS}.items():
        write(results / f"{name}.json", value)
    summary, figures = results / "summary.csv", results / "figures"
    run(project, "summarize", "--cells", *other.cells, "--output", summary)
    run(project, "plot", "--summary", summary, "--figures", "offline", "--output-dir", figures)
    run(
        project,
        "report",
        *("--summary", summary, "--figures", figures / "offline.svg"),
        *("--machine", results / "machine.json", "--config", results / "config.json"),
        *("--checksums", results / "inputs.json", "--output", results / "report.html"),
    )
    html = (results / "report.html").read_text(encoding="utf-8")
    assert "Scenario <b>pairs</b> sends the engine pairs of features." in html
    assert ">pairs</text>" in html  # its panel in the figure
    assert "from the scheduled arrival; bursts: pairs of features" in html
