"""summarize.py gathers files into summary.csv and names the file that does not fit."""

import csv
import subprocess
import sys
from pathlib import Path

from fake_results import Results, add_cell, cell, config, demo, write

ROOT = Path(__file__).resolve().parent.parent.parent


def summarize(results, *options):
    return subprocess.run(
        [
            *(sys.executable, "scripts/summarize.py"),
            *("--metrics", *results.metrics, "--cells", *results.cells, "--logs", *results.logs),
            *("--output", results.root / "summary.csv", *options),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_one_row_per_cell_and_per_model_without_one(tmp_path):
    results = demo(tmp_path)
    settings = write(tmp_path / "config.json", config())
    done = summarize(results, "--config", settings)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "summary.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 15
    assert rows[-1]["run"] == "untrained"
    assert rows[-1]["f1"] == "6.3"
    assert rows[-1]["features_per_second"] == ""
    assert rows[0]["checkpoint"] == "synthetic"


def test_the_same_files_in_another_order_give_the_same_bytes(tmp_path):
    results = demo(tmp_path)
    summarize(results)
    first = (tmp_path / "summary.csv").read_bytes()
    results.metrics.reverse()
    results.cells.reverse()
    summarize(results)
    assert (tmp_path / "summary.csv").read_bytes() == first


def test_without_any_file_there_is_a_table_without_rows(tmp_path):
    assert summarize(Results(tmp_path)).returncode == 0
    assert (tmp_path / "summary.csv").read_text().startswith("run,checkpoint,dataset,")


def test_a_mislabelled_cell_is_one_line_and_status_2_and_no_output(tmp_path):
    results = Results(tmp_path)
    data = cell("torch", "fp32", "padded", 1, 10.0)
    add_cell(results, "run", data)
    write(results.cells[0], {**data, "engine": "openvino"})
    done = summarize(results)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "`engine` is 'openvino' in the file but 'torch' in its path" in done.stderr
    assert not (tmp_path / "summary.csv").exists()
