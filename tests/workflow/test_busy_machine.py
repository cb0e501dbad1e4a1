"""While another program computes nothing is called fast, and every page says what happened."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.small_run import write_features, write_finetuned
from fake_results import CHECKSUMS, MACHINE, config, write

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def burning() -> Iterator[None]:
    """A program that keeps one processor busy."""
    program = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(program) as burner:
        yield
        burner.kill()


def run(script: str, *options: object) -> subprocess.CompletedProcess:
    command = [sys.executable, f"scripts/{script}.py", *map(str, options)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def path_of(results: Path, batch: int) -> Path:
    return results / f"mine/torch-fp32/benchmark/real-lengths/batch{batch}-threads1-repeat1.json"


@pytest.fixture(scope="module")
def measured(tmp_path_factory, burning) -> tuple[Path, str]:
    """Two cells, and what the command said of the first."""
    folder = tmp_path_factory.mktemp("busy")
    write_features(folder / "features", write_finetuned(folder), [5, 33, 6, 20])
    results = folder / "results"
    said = [
        run(
            "benchmark_inference",
            *("--engine", "torch", "--precision", "fp32", "--threads", 1, "--repeat", 1),
            *("--scenario", "real-lengths", "--batch-size", batch, "--warmup", 1),
            *("--iterations", 600, "--model", folder / "model", "--features", folder / "features"),
            *("--quiet-seconds", 1, "--order-seed", 7, "--place", batch, "--places", 2),
            *("--output", path_of(results, batch)),
        ).stderr
        for batch in (1, 2)
    ]
    return results, said[0]


def test_the_measurement_waits_says_so_and_is_taken_again(measured):
    results, said = measured
    assert "waiting up to 1 s for a quiet machine" in said
    assert "not quiet after 1." in said
    assert "measuring again" in said
    cell = json.loads(path_of(results, 1).read_text())
    assert cell["validity"]["verdict"] != "valid"
    assert "busy" in [reason["code"] for reason in cell["validity"]["reasons"]]
    tries = cell["tries"]
    assert (tries["number"], tries["quiet"]) == (2, False)
    assert 1 <= tries["waited_s"] < 5
    assert tries["first"]["validity"]["verdict"] != "valid"
    assert cell["order"] == {"seed": 7, "repeat": 1, "place": 1, "of": 2}


def test_a_second_try_has_the_processors_and_memory_of_a_first(measured):
    cell = json.loads(path_of(measured[0], 1).read_text())
    assert set(cell["cpus"]) <= set(cell["allowed_cpus"])
    import os

    assert cell["allowed_cpus"] == sorted(os.sched_getaffinity(0))


def test_no_headline_no_fastest_no_ratio_and_the_report_says_why(measured):
    results, _ = measured
    for name, value in {"machine": MACHINE, "config": config(), "inputs": CHECKSUMS}.items():
        write(results / f"{name}.json", value)
    summary, report = results / "summary.csv", results / "report.html"
    run("summarize", "--cells", *(path_of(results, b) for b in (1, 2)), "--output", summary)
    options = ("--machine", results / "machine.json", "--config", results / "config.json")
    inputs = ("--checksums", results / "inputs.json", "--output", report)
    run("report", "--summary", summary, *options, *inputs)
    page = report.read_text(encoding="utf-8")
    assert "At its fastest" not in page
    assert '<span class="label">' not in page  # a tile
    assert "Nothing that was timed here counts as a result." in page
    assert "2 of 2 cells disturbed (" in page
    said = run("show_results", "--summary", summary, "--report", report).stdout
    assert "fastest" not in said
    assert "not to be trusted: 2 of 2 cells disturbed" in said
    assert "2 of them were measured twice" in said
