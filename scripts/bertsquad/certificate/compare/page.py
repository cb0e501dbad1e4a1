"""compare.html: one file that needs nothing else, in the report's look. Its first line is the
sentence that says whether one run reproduces the other."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertsquad.certificate.compare import figure
from bertsquad.certificate.compare.answer import CANNOT_TELL
from bertsquad.certificate.compare.outcome import DIFFERS, REPRODUCED, TITLES
from bertsquad.console.errors import shown
from bertsquad.reporting import palette, style
from bertsquad.reporting.formats import short
from bertsquad.reporting.page import svg
from bertsquad.reporting.page.render import environment
from bertsquad.reporting.page.sections import Table, table

_TEMPLATES = Path(__file__).parent / "templates"
_SHOWN = 6  # sentences of evidence and names of files before the rest is folded
_OPEN_ROWS = 30  # a longer table of cells starts folded
_GOOD = ("same", "bit-identical", "equal", "equivalent", "within band", "faster", "clean")
_BAD = ("differ", "differs", "slower")
_ALT = "Each repeat's speed in both runs, a row a cell; the numbers are in the table below."
# Label, unit, how a number is written.
_COLUMNS = {
    "cell": ("cell", "", None),
    "metric": ("metric", "", None),
    "verdict": ("B is", "", None),
    "ratio": ("speed", "B over A", lambda ratio: f"{ratio:.3f}"),
    "interval": ("interval", "95 %", None),
    "p_holm": ("p", "after Holm", lambda p: f"{p:.2g}"),
    "a": ("A", "median; repeats", None),
    "b": ("B", "median; repeats", None),
    "reason": ("why not", "", None),
}


def render(found: Mapping[str, Any]) -> str:
    """The page of what `outcome.compare` found. The same comparison gives the same page."""
    found = _printable(found)
    cells: Sequence[Mapping[str, Any]] = found["cells"]
    drawn = figure.drawable(cells)
    facts = {
        "found": found,
        "word": {REPRODUCED: "yes", DIFFERS: "no"}.get(found["exit"], "care"),
        "titles": TITLES,
        "levels": {name: _level(each["verdict"]) for name, each in found["verdicts"].items()},
        "shown": _SHOWN,
        "figure": _figure(drawn, found["band"]) if drawn else "",
        "drawn": len(drawn),
        "drawable": sum(bool(row["a"] and row["b"]) for row in cells),
        "cell_table": cell_table(cells),
        "open_cells": len(cells) <= _OPEN_ROWS,
        "palette": palette,
    }
    return environment(_TEMPLATES).get_template("runs.html.j2").render(facts)


def _level(verdict: str) -> str:
    """How a verdict is coloured: as the report's judgements are."""
    if verdict in _GOOD:
        return "yes"
    return "no" if verdict in _BAD else "care"


def cell_table(cells: Sequence[Mapping[str, Any]]) -> Table:
    """A row a cell and metric, both runs' numbers beside the verdict."""
    rows = [
        {
            **row,
            "ratio": row["ratio"]["value"] if row["ratio"] else None,
            "interval": _interval(row["ratio"]) if row["ratio"] else "",
            "a": _repeats(row, "a"),
            "b": _repeats(row, "b"),
        }
        for row in cells
    ]
    marks = ["disturbed" if row["verdict"] == CANNOT_TELL else "" for row in cells]
    return table(rows, _COLUMNS, ("reason",), marks)


def _interval(ratio: Mapping[str, float]) -> str:
    return f"{ratio['low']:.3f} to {ratio['high']:.3f}"


def _repeats(row: Mapping[str, Any], side: str) -> str:
    values = row[side]
    if not values:
        return ""
    from statistics import median

    unit = "1/s" if row["metric"] == "throughput" else "ms"
    return f"{short(median(values))} {unit}; {len(values)}"


def _figure(rows: Sequence[Mapping[str, Any]], band: float) -> str:
    """The paired dots as an `<svg>` element in the page's colours."""
    with style.styled(), tempfile.TemporaryDirectory(prefix="bertsquad-compare-") as folder:
        path = Path(folder) / "cells.svg"
        style.save(figure.draw(rows, band), path, figure.TITLE, {"alt": _ALT})
        return svg.inline(path).svg


def _printable(value: Any) -> Any:
    """All texts with control characters as escapes: names of files may hold any."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {shown(key): _printable(each) for key, each in value.items()}
    return [_printable(each) for each in value] if isinstance(value, list) else value
