"""The report's figures, found by their files in figures/; nothing heavy is imported to find them.

A figure of the report is a module of figures/ with these names (see `Figure`):

    TITLE     title of the SVG file
    READS     "summary" | "logs" | "features": what `draw` is given (plot.py)
    SECTION   section of the report in which it is shown: accuracy, speed, training or data
    RANK      its place among the figures of that section, from 1
    ALT       what it shows, for readers who do not see it
    CAPTION   reStructuredText for Snakemake's own report
    draw      the drawing, or a sentence where there is nothing to draw
    caption   headline and text under the figure in the report
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
SECTIONS = ("accuracy", "speed", "training", "data")


class Figure(Protocol):
    """A module of figures/ that the report shows."""

    TITLE: str
    READS: Literal["summary", "logs", "features"]
    SECTION: str
    RANK: int
    ALT: str
    CAPTION: str

    draw: "Callable[[Any], Drawing | str]"
    caption: "Callable[[Summary], tuple[str, str]]"


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
