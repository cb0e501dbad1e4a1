"""benchmark_peers.py and report_bench.py: what a user meets."""

import os
import subprocess
import sys
from pathlib import Path

from bertsquad.files import write_json
from fake_bench import contender, work

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def run(script: str, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess:
    variables = {name: value for name, value in os.environ.items() if name != "SQUAD_DIR"}
    return subprocess.run(
        [sys.executable, SCRIPTS / script, *arguments],
        env=variables | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_dataset_it_ends_with_one_line(tmp_path: Path):
    done = run("benchmark_peers.py", "--results", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("benchmark_peers.py: error: SQUAD_DIR is not set; expected")
    assert done.stderr.count("\n") == 1


def test_an_unknown_work_is_named_with_those_there_are(tmp_path: Path):
    done = run("benchmark_peers.py", "--results", tmp_path, "--only", "inference-fp64")
    assert done.returncode == 2
    assert "--only inference-fp64: no such work; expected some of data, inference-fp32" in (
        done.stderr
    )


def test_the_page_and_the_figure_are_written_from_what_is_measured(tmp_path: Path):
    contenders = {"ours": contender(ours=True), "it": contender()}
    write_json(
        tmp_path / "inference-fp32.json",
        work(contenders, {"ours": [20.0], "it": [10.0]}),
        sort_keys=False,
    )
    page, figure = tmp_path / "docs/benchmarks.md", tmp_path / "docs/benchmarks.svg"
    done = run("report_bench.py", "--results", tmp_path, "--page", page, "--figure", figure)
    assert done.returncode == 0, done.stderr
    assert "| 2.00 cannot tell |" in page.read_text()
    assert figure.read_text().startswith("<?xml")


def test_nothing_measured_is_an_error(tmp_path: Path):
    done = run(
        "report_bench.py", "--results", tmp_path, "--page", tmp_path / "b.md",
        "--figure", tmp_path / "b.svg",
    )  # fmt: skip
    assert done.returncode == 2
    assert "no work is measured; run benchmark_peers.py, or make bench" in done.stderr
