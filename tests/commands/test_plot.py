"""plot.py writes the figures, and the same ones each time."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bertsquad.reporting.summary.tables import summarize
from fake_results import Results, demo

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = sorted(
    path.stem
    for path in (ROOT / "scripts/bertsquad/reporting/figures").glob("*.py")
    if "\nSECTION = " in path.read_text(encoding="utf-8")
)
FIGURES = [f"{name}.svg" for name in NAMES]


def plot(results, folder):
    summary = results.root / "summary.csv"
    table = summarize(results.metrics, results.cells, results.logs)
    table.to_csv(summary, index=False)
    return subprocess.run(
        [
            *(sys.executable, "scripts/plot.py", "--summary", summary),
            *("--logs", *results.logs, "--features", *results.features, "--output-dir", folder),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plot")
    done = plot(demo(folder), folder / "figures")
    assert done.returncode == 0, done.stderr
    return folder / "figures"


def test_each_figure_has_a_title(figures):
    assert sorted(path.name for path in figures.iterdir()) == FIGURES
    for path in figures.iterdir():
        assert ET.parse(path).getroot().find("{http://www.w3.org/2000/svg}title").text


def test_another_process_writes_the_same_bytes(figures, tmp_path):
    plot(demo(tmp_path), tmp_path / "figures")
    for name in FIGURES:
        assert (tmp_path / "figures" / name).read_bytes() == (figures / name).read_bytes()


def test_nothing_measured_still_gives_all_figures(tmp_path):
    done = plot(Results(tmp_path), tmp_path / "figures")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == FIGURES


def test_a_missing_features_file_is_one_line_and_status_2(tmp_path):
    results = Results(tmp_path, features=[tmp_path / "none.safetensors"])
    done = plot(results, tmp_path / "figures")
    assert done.returncode == 2
    assert "none.safetensors: no such file" in done.stderr
    assert len(done.stderr.splitlines()) == 1
