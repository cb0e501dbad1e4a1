"""The steps of CONTRIBUTING.md for a new figure, walked: one file, and it is in the report."""

import subprocess
import sys

import pytest

from bertsquad.reporting.gallery import figures
from bertsquad.reporting.summary.tables import summarize
from fake_results import CHECKSUMS, MACHINE, config, demo, write
from project import Project, copy_project

# scripts/bertsquad/reporting/figures/memory.py
MODULE = '''\
"""Peak memory of every cell."""

from bertsquad.reporting import style

TITLE = "Peak memory"
READS = "summary"
SECTION = "speed"
RANK = 9
ALT = "Peak memory of every cell."
CAPTION = "How much memory each cell takes."


def caption(summary):
    return "Peak memory.", f"One bar for each of {len(summary.cells)} cells."


def draw(summary):
    if summary.cells.empty:
        return "Nothing was measured."
    figure = style.new_figure(2)
    axes = figure.subplots()
    axes.bar(range(len(summary.cells)), summary.cells["peak_memory_mib"].astype(float))
    axes.set_xlabel("cells of the toy figure")
    return figure
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A checkout with the figure `memory`."""
    folder = copy_project(tmp_path_factory.mktemp("figure") / "bertsquad")
    (folder / "scripts/bertsquad/reporting/figures/memory.py").write_text(MODULE)
    return Project(folder)


def test_it_is_planned(project):
    # The new one, and all of this checkout but the one of comparisons, which the demo has none of.
    assert project.planned()["plot"] == 1 + len(figures().keys() - {"comparisons"})


def test_it_is_drawn_and_in_the_report(project, tmp_path):
    results = demo(tmp_path)
    summary = tmp_path / "summary.csv"
    summarize(results.metrics, results.cells, results.logs).to_csv(summary, index=False)
    for name, value in {"machine": MACHINE, "config": config(), "inputs": CHECKSUMS}.items():
        write(tmp_path / f"{name}.json", value)
    figure, report = tmp_path / "memory.svg", tmp_path / "report.html"
    for command in (
        ("plot", "--summary", summary, "--figures", "memory", "--output-dir", tmp_path),
        (
            *("report", "--summary", summary, "--figures", figure, "--output", report),
            *("--machine", tmp_path / "machine.json", "--config", tmp_path / "config.json"),
            *("--checksums", tmp_path / "inputs.json"),
        ),
    ):
        done = subprocess.run(
            [sys.executable, f"scripts/{command[0]}.py", *map(str, command[1:])],
            cwd=project.folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    html = report.read_text(encoding="utf-8")
    speed = html[html.index('<section id="speed">') :].split("</section>")[0]
    assert "<figcaption><b>Peak memory.</b> One bar for each of 12 cells.</figcaption>" in speed
    assert "cells of the toy figure" in speed
    assert 'aria-label="Peak memory of every cell."' in speed
