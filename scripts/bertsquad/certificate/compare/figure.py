"""Cells of two runs as paired dots: each repeat's speed beside the median of A's repeats."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from bertsquad.certificate.compare.answer import CANNOT_TELL
from bertsquad.console.errors import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 40  # more are no figure; the table has all
TITLE = "Speed of both runs, repeat by repeat"
_ROW = 0.34  # inches
_NARROWEST = 0.05  # the axis reaches at least so far from 1, as a part
_LONGEST = 56  # characters of a row's name


def drawable(cells: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows that are drawn: those that both runs measured, told ones first."""
    rows = [row for row in cells if row["a"] and row["b"]]
    return sorted(rows, key=lambda row: row["verdict"] == CANNOT_TELL)[:MOST_ROWS]


def draw(cells: Sequence[Mapping[str, Any]], band: float) -> "Figure":
    """A row a cell and metric: hollow dots are A's repeats, filled ones B's, a line joins the
    medians; right of 1 is faster. Shaded: the band. Grey where it cannot be told."""
    from bertsquad.reporting import style
    from bertsquad.reporting.palette import INK, MUTED, RULE

    figure = style.new_figure(_ROW * len(cells) + 0.9)
    axes = figure.subplots()
    speeds = [_speeds(row) for row in cells]
    axes.set_xscale("log")
    axes.fill_betweenx(
        [-0.6, len(cells) - 0.4], 1 / (1 + band), 1 + band, color=RULE, alpha=0.5, linewidth=0
    )
    axes.axvline(1, color=INK, linewidth=1, zorder=1)
    for place, (row, (first, second)) in enumerate(zip(cells, speeds, strict=True)):
        _draw_row(axes, place, row, first, second)
    every = [each for pair in speeds for side in pair for each in side]
    _set_axis(axes, min(every), max(every))
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.set_yticks(range(len(cells)), [_name(row) for row in cells], size=8)
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    axes.set_xlabel("speed of each repeat, over the median of A's (1: as fast)", color=MUTED)
    return figure


def _speeds(row: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """Both sides' repeats as speeds over A's median."""
    sides = [
        [each if row["metric"] == "throughput" else 1 / each for each in row[key]]
        for key in ("a", "b")
    ]
    middle = median(sides[0])
    first, second = ([each / middle for each in side] for side in sides)
    return first, second


def _draw_row(
    axes: "Axes", place: int, row: Mapping[str, Any], first: list[float], second: list[float]
) -> None:
    from bertsquad.reporting.figures.comparisons import write_beside
    from bertsquad.reporting.palette import OTHER, PAPER, PRECISION

    told = row["verdict"] != CANNOT_TELL
    colour = PRECISION["fp32"] if told else OTHER
    above, below = place - 0.13, place + 0.13
    axes.plot([median(first), median(second)], [above, below], color=colour, linewidth=1.4)
    axes.plot(first, [above] * len(first), "o", color=colour, markerfacecolor=PAPER, markersize=4.5)
    axes.plot(second, [below] * len(second), "o", color=colour, markersize=4.5)
    text = f"{row['verdict']} {row['ratio']['value']:.3f}" if told else row["verdict"]
    write_beside(axes, place, text)


def _set_axis(axes: "Axes", low: float, high: float) -> None:
    """Limits with room, and a few ratios to read."""
    import math

    from matplotlib.ticker import FixedLocator, NullLocator

    from bertsquad.reporting.figures.comparisons import ticks

    low, high = math.log(min(low, 1 / (1 + _NARROWEST))), math.log(max(high, 1 + _NARROWEST))
    room = 0.06 * (high - low)
    low, high = math.exp(low - room), math.exp(high + room)
    marks = ticks(low, high)
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(marks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(marks, [f"{mark:g}" for mark in marks])


def _name(row: Mapping[str, Any]) -> str:
    """A cell's name and metric, fit for a figure."""
    name = shown(f"{row['cell']}, {row['metric']}")
    return name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"
