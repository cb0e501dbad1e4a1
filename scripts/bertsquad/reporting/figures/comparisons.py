"""Comparisons as a forest plot: each ratio with its interval, and what counts as the same."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from bertsquad.reporting import style
from bertsquad.reporting.palette import INK, MUTED, OTHER, PAPER, REFERENCE, RULE
from bertsquad.reporting.summary.summary import Summary
from bertsquad.reporting.verdicts import interval, names

TITLE = "Which of two cells is faster"
READS = "comparisons"
SECTION = "comparisons"
RANK = 1
ALT = (
    "The ratio of both sides' speeds with its interval, a row for each comparison; the numbers are "
    "in the table below."
)
CAPTION = """\
The speed of a over that of b in each comparison, with its interval; the band holds ratios that \
count as the same.
Right of it a is faster, left of it b. Hollow marks cannot tell; without a mark, no verdict.
"""
_ROW = 0.42  # inches
_NARROWEST = 0.02  # the axis reaches at least so far from 1, as a part
_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_TICKS = 7  # at most, about

Comparison = Mapping[str, Any]


def caption(summary: Summary) -> tuple[str, str]:
    return "Who is faster, and how sure that is.", (
        "A mark is the speed of the first side over that of the second, the line its interval. "
        "Shaded: what counts as the same. A hollow mark cannot tell; a comparison that was "
        "disturbed has no mark. Dotted: the smallest difference that this machine's noise lets 32 "
        "rounds find."
    )


def draw(data: tuple[Sequence[Comparison], Mapping[str, Any] | None]) -> Figure | str:
    """`data`: the comparisons as compare_speed.py writes them, and what noise.py writes or None."""
    comparisons, noise = data
    if not comparisons:
        return "Nothing was compared."
    figure = style.new_figure(_ROW * len(comparisons) + 0.75)
    axes = figure.subplots()
    axes.set_xscale("log")
    low, high = limits(comparisons)
    axes.set_xlim(low, high)
    for place, found in enumerate(comparisons):
        _draw_row(axes, place, found)
    axes.axvline(1, color=INK, linewidth=1, zorder=1)
    if noise and noise["sees"]:
        least = 1 + min(noise["sees"].values())
        for at in (1 / least, least):
            axes.axvline(at, color=REFERENCE, linewidth=1, linestyle=":", zorder=1)
    axes.set_ylim(len(comparisons) - 0.4, -0.6)
    labels = ["{}\n{} / {}".format(found["name"], *names(found)) for found in comparisons]
    axes.set_yticks(range(len(comparisons)), labels, size=8)
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    marks = ticks(low, high)
    axes.xaxis.set_major_locator(FixedLocator(marks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(marks, [f"{mark:g}" for mark in marks])
    axes.set_xlabel("speed of the first over that of the second (1: as fast)")
    return figure


def _draw_row(axes: Axes, place: int, found: Comparison) -> None:
    margin = 1 + found["same_within"]
    axes.fill_betweenx(
        [place - 0.35, place + 0.35],
        1 / margin,
        margin,
        color=RULE,
        alpha=0.7,
        linewidth=0,
        zorder=0,
    )
    ratio = found["ratio"]
    if found["verdict"] is None or ratio is None:
        write_beside(
            axes, place, "no verdict: disturbed" if found["rounds_disturbed"] else "not measured"
        )
        return
    look = style.look(found["a"]["precision"])
    colour = OTHER if found["verdict"] == "cannot tell" else look.colour
    face = look.face if found["verdict"] in ("faster", "slower", "same") else PAPER
    axes.plot([ratio["low"], ratio["high"]], [place, place], color=colour, linewidth=2.5, zorder=2)
    axes.plot(
        *(ratio["value"], place, look.marker),
        color=colour,
        markerfacecolor=face,
        markersize=7,
        zorder=3,
    )
    write_beside(axes, place, f"{found['verdict']}  {ratio['value']:.3f} ({interval(found)})")


def write_beside(axes: Axes, place: int, text: str) -> None:
    """Right of the axes."""
    axes.annotate(
        *(text, (1, place)),
        xycoords=("axes fraction", "data"),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=MUTED,
        size=8,
        annotation_clip=False,
    )


def limits(comparisons: Sequence[Comparison]) -> tuple[float, float]:
    """Of the axis: every interval and the band of what is the same, with some room."""
    ends = [1 + _NARROWEST, 1 / (1 + _NARROWEST)]
    for found in comparisons:
        ends += [1 + 1.5 * found["same_within"], 1 / (1 + 1.5 * found["same_within"])]
        if found["verdict"] is not None and found["ratio"]:
            ends += [found["ratio"]["low"], found["ratio"]["high"]]
    low, high = math.log(min(ends)), math.log(max(ends))
    room = 0.06 * (high - low)
    return math.exp(low - room), math.exp(high + room)


def ticks(low: float, high: float) -> list[float]:
    """Ratios to name on the axis, 1 among them: even steps where it is narrow, else 1, 2 and 5 of
    each power of ten and their inverses."""
    if high / low > 4:
        sizes = [n * 10.0**power for power in range(-3, 4) for n in (1, 2, 5)]
        return [size for size in sizes if low <= size <= high]
    step = next((s for s in _STEPS if (high - low) / s <= _TICKS), _STEPS[-1])
    first = math.ceil((low - 1) / step)
    last = math.floor((high - 1) / step)
    return [round(1 + number * step, 6) for number in range(first, last + 1)]
