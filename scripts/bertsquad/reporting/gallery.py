"""The report's figures, found by their files in figures/; nothing heavy is imported to find them.

A module of figures/ that names its SECTION is a figure of the report, with all that `Figure` lists.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from bertsquad.reporting.summary.summary import Summary

_FOLDER = Path(__file__).parent / "figures"
SECTIONS = ("accuracy", "speed", "comparisons", "training", "data")


class Figure(Protocol):
    """A module of figures/ that the report shows."""

    TITLE: str  # of the SVG file
    READS: Literal[
        "summary", "logs", "features", "comparisons", "cells"
    ]  # what `draw` is given: see plot.py
    SECTION: str  # of the report, one of SECTIONS
    RANK: int  # among the figures of that section, from 1
    ALT: str  # what it shows, for readers who do not see it
    CAPTION: str  # reStructuredText for Snakemake's own report
    draw: "Callable[[Any], Drawing | str]"  # a sentence where there is nothing to draw
    caption: "Callable[[Summary], tuple[str, str]]"  # headline and text, in the report


def facts_of(figure: Figure, summary: "Summary") -> dict[str, str]:
    """How the report shows the figure: read by page/svg.py from the SVG file, so that the report
    depends on the drawing alone."""
    headline, text = figure.caption(summary)
    return {
        "section": figure.SECTION,
        "rank": str(figure.RANK),
        "alt": figure.ALT,
        "headline": headline,
        "text": text,
    }


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a figure without importing it."""

    name: str
    section: str
    rank: int
    caption: str


def figures(folder: Path = _FOLDER) -> dict[str, Found]:
    """The figures by name, in the order of the report."""
    found = []
    for path in sorted(folder.glob("*.py")):
        constants = _constants(path)
        if "SECTION" in constants:
            section, rank = constants["SECTION"], constants["RANK"]
            found.append(Found(path.stem, section, rank, constants["CAPTION"]))
    found.sort(key=lambda figure: (SECTIONS.index(figure.section), figure.rank))
    return {figure.name: figure for figure in found}


def _constants(path: Path) -> dict[str, Any]:
    """The SECTION, RANK and CAPTION of a module, each a literal, without running it."""
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(path.read_bytes()).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("SECTION", "RANK", "CAPTION")
    }
