"""One look for all figures: colours, marks and type; the same data give the same bytes.

A precision has one colour and one marker in every figure; what is not a result (standing.py) is
grey: light where it failed, hollow and dashed where it is emulated. The colours differ in lightness
and every series is labelled where it ends, so a black-and-white print and a colour-blind reader
lose nothing.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bertsquad.files import write_text
from bertsquad.reporting.palette import INK, MUTED, OTHER, PAPER, PRECISION, REFERENCE, RULE, RUNS
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.standing import DISTURBED, EMULATED, FAILED, percent, standing

_WIDTH = 7.6  # inches: fills the report's column, type stays readable when printed on A4
_LEGEND_HEIGHT = 0.3  # inches
LineStyle = Literal["-"] | tuple[float, Sequence[float]]
LINE_STYLES: tuple[LineStyle, ...] = ("-", (0, (4, 2)), (0, (1, 1.5)), (0, (6, 1.5, 1, 1.5)))
_MARKERS = {"fp32": "o", "bf16": "s", "int8": "^"}

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: searchable, small, and in the reader's own font
    "svg.hashsalt": "bertsquad",  # names of clip paths depend on the content only
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],  # the first is in matplotlib itself
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "figure.facecolor": PAPER,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.06,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "lines.solid_capstyle": "butt",
}


@contextmanager
def styled() -> Iterator[None]:
    """Figures drawn and saved inside this block have the look, whatever a matplotlibrc sets."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def new_figure(height: float, width: float = _WIDTH) -> Figure:
    """An empty figure; `height` and `width` in inches."""
    figure = Figure(figsize=(width, height))
    FigureCanvasSVG(figure)
    return figure


def save(
    figure: Figure | str, path: str | Path, title: str, facts: Mapping[str, str] | None = None
) -> None:
    """Write `figure` as SVG, whole or not at all, with a title for screen readers and no date.

    `facts` tell the report where and how to show the figure, as attributes `data-<name>` of the
    `<svg>` element. A sentence is written as a figure that holds it, without facts.
    """
    if isinstance(figure, str):
        figure, facts = message(figure), None
    buffer = io.StringIO()
    metadata = {"Date": None, "Creator": None, "Title": title}
    figure.savefig(buffer, format="svg", metadata=metadata)
    text = re.sub(r"[ \t]+$", "", buffer.getvalue(), flags=re.MULTILINE)
    for name, value in (facts or {}).items():
        text = text.replace("<svg ", f"<svg data-{name}={quoteattr(value)} ", 1)
    write_text(path, text)


def message(text: str) -> Figure:
    """A figure that holds one sentence: why there is nothing to draw."""
    figure = new_figure(1.2)
    figure.text(0.5, 0.5, text, ha="center", va="center", color=MUTED, size=10)
    return figure


@dataclass(frozen=True, slots=True)
class Look:
    """How the marks of one engine and precision look."""

    colour: str
    ink: str  # of its label, which must be readable
    marker: str
    face: str  # of the marker
    line: LineStyle
    hatch: str = ""  # of a bar


def look(precision: str, standing: str = "") -> Look:
    """The look of a precision; `standing` as in standing.py."""
    marker = _MARKERS.get(precision, "D")
    if standing == FAILED:
        return Look(REFERENCE, MUTED, marker, REFERENCE, "-")
    if standing == EMULATED:
        return Look(OTHER, MUTED, marker, PAPER, (0, (4, 2)))
    if standing == DISTURBED:
        return Look(OTHER, MUTED, marker, PAPER, (0, (1, 1.5)), "////")
    colour = PRECISION.get(precision, OTHER)
    return Look(colour, colour, marker, colour, "-")


def explain_standings(
    figure: Figure, rows: Sequence[Row], marks: Iterable[str] | None = None
) -> None:
    """A legend above a figure of these rows for what is not a result, and the height that it needs;
    none where all are results. `marks`: the standings to explain, by default those of the rows."""
    words: dict[str, str] = {}
    for mark in {standing(row) for row in rows} if marks is None else set(marks):
        if mark == FAILED:
            failed = [row["minimum_f1_share"] or 0 for row in rows if standing(row) == FAILED]
            words[mark] = f"failed: below {percent(failed[-1], digits=None)} of FP32\u2019s F1"
        elif mark == EMULATED:
            words[mark] = "emulated here"
        elif mark == DISTURBED:
            words[mark] = "disturbed while it was timed"
    handles = []
    for mark, text in sorted(words.items()):
        shape = look("", mark)
        handles.append(
            Line2D(
                *([], []),
                color=shape.colour,
                linestyle=shape.line,
                marker="o",
                markerfacecolor=shape.face,
                label=text,
            )
        )
    if handles:
        figure.set_figheight(figure.get_figheight() + _LEGEND_HEIGHT)
        figure.legend(
            handles=handles, loc="outside upper left", ncols=2, frameon=False, labelcolor=MUTED
        )


def run_colour(number: int) -> str:
    return RUNS[number % len(RUNS)]


def model_label(engine: str, precision: str, engines: Sequence[str], standing: str = "") -> str:
    """`bf16`, or `torch bf16` where there are several engines; and why it is not a result."""
    label = f"{engine} {precision}" if len(engines) > 1 else precision
    return f"{label} ({standing})" if standing else label


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """The positions nearest to `positions`, least squares, that keep their order and `gap` apart.

    Pool-adjacent-violators on `position - rank * gap`.
    """
    order = sorted(range(len(positions)), key=lambda number: positions[number])
    pools: list[list[float]] = []  # each: sum, count
    for rank, number in enumerate(order):
        pools.append([positions[number] - rank * gap, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    flat = [total / count for total, count in pools for _ in range(int(count))]
    result = [0.0] * len(positions)
    for rank, number in enumerate(order):
        result[number] = flat[rank] + rank * gap
    return result


def label_line_ends(
    axes: Axes, ends: Sequence[tuple[float, float, str, str]], height: float, size: float = 9
) -> None:
    """Write each series' name (x, y, text, colour) beside its last point, without overlaps.

    `height` is the height of the axes in inches, about; it turns a line of text into data units.
    Call it when the limits of `axes` are final.
    """
    low, high = axes.get_ylim()
    gap = (high - low) * (size * 1.25 / 72) / height
    for (x, y, text, colour), position in zip(
        ends, spread([end[1] for end in ends], gap), strict=True
    ):
        axes.annotate(
            text,
            xy=(x, y),
            xytext=(9, (position - y) / (high - low) * height * 72),
            textcoords="offset points",
            va="center",
            color=colour,
            size=size,
            weight="bold",
            annotation_clip=False,
        )
