"""The report's figures are found by their files, without importing what draws them."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from bertsquad.reporting import gallery

ROOT = Path(__file__).resolve().parent.parent.parent
FIGURES = gallery.figures()


def test_figures_are_found_in_the_order_of_the_report():
    assert list(FIGURES) == [
        *("accuracy", "offline", "throughput", "latency", "tradeoff"),
        *("load", "timeline", "order", "comparisons", "training_loss", "lengths"),
    ]
    assert FIGURES["latency"].section == "speed"
    assert FIGURES["latency"].caption.startswith("How long one batch takes")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_all_that_the_report_asks_for(name):
    module = importlib.import_module(f"bertsquad.reporting.figures.{name}")
    assert module.READS in ("summary", "logs", "features", "comparisons", "cells")
    assert module.SECTION in gallery.SECTIONS
    assert FIGURES[name] == gallery.Found(name, module.SECTION, module.RANK, module.CAPTION)
    assert module.TITLE
    assert module.ALT.endswith(".")
    assert callable(module.draw)
    assert callable(module.caption)


def test_no_two_figures_have_the_same_place():
    places = [(figure.section, figure.rank) for figure in FIGURES.values()]
    assert len(places) == len(set(places))


def test_what_is_no_figure_of_the_report_is_not_found(tmp_path):
    (tmp_path / "helper.py").write_text("raise RuntimeError('this is never run')\n")
    text = "raise RuntimeError\nSECTION = 'data'\nRANK = 2\nCAPTION = 'What.'\n"
    (tmp_path / "toy.py").write_text(text)
    assert gallery.figures(tmp_path) == {"toy": gallery.Found("toy", "data", 2, "What.")}


def test_finding_them_imports_nothing_heavy():
    program = (
        "import sys\nfrom bertsquad.reporting.gallery import figures\nfigures()\n"
        "assert not {'numpy', 'pandas', 'matplotlib'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", program]
    subprocess.run(command, env={"PYTHONPATH": "scripts"}, cwd=ROOT, check=True)
