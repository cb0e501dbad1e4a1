"""Throughput with many questions at hand: from texts to answers, and of the engine alone."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.benchmark.modes import MODES
from bertsquad.reporting import style
from bertsquad.reporting.formats import short
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.standing import standing
from bertsquad.reporting.summary.summary import Summary, records

TITLE = "Offline throughput by engine and precision"
READS = "summary"
SECTION = "speed"
RANK = 1
ALT = (
    "Questions and features per second with many of them at hand, by engine and precision; "
    "the numbers are in the table of all cells."
)
CAPTION = """\
How many questions are answered per second from their texts to their answers, and how fast the \
engine alone takes all features at hand.
Longer bars are better. Grey bars are no results: the legend says why.
"""
_ROOM_FOR_NUMBERS = 1.22  # right of the longest bar, as a factor
_Name = tuple[str, int | None, str, str]  # run, threads, engine, precision


def caption(summary: Summary) -> tuple[str, str]:
    text = (
        "Longer is better. Texts in, answers out includes tokenising and decoding; the engine "
        "alone starts from features that are ready."
    )
    if summary.repeats > 1:
        text += f" Bars are the median of {summary.repeats} repeats."
    return "Offline throughput: many questions at hand.", text


def draw(summary: Summary) -> Figure | str:
    """Bars, longer is better: a row per run, engine and precision (median of the repeats), a panel
    per scenario in which the engine has many questions or features at hand."""
    measured = [
        (cells, mode.rates[0], scenario if scenario != mode.name.replace("_", "-") else mode.panel)
        for mode in sorted(MODES.values(), key=lambda mode: not mode.from_texts)
        if mode.whole_set
        for scenario, cells in summary.medians([mode.name]).groupby("scenario", sort=False)
    ]
    if not measured:
        return "No offline throughput was measured."
    every = [cell for cells, *_ in measured for cell in records(cells)]
    names = list(dict.fromkeys(map(_name, every)))
    figure = style.new_figure(0.9 + 0.27 * len(names))
    style.explain_standings(figure, every)
    panels = figure.subplots(1, len(measured), sharey=True, squeeze=False)[0]
    for axes, (cells, measure, title) in zip(panels, measured, strict=True):
        _draw_bars(axes, records(cells), cells[measure].tolist(), names)
        axes.set_title(title)
        axes.set_xlabel(measure.replace("_", " "))
    panels[0].set_yticks(range(len(names)), labels(every))
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    return figure


def _draw_bars(axes: Axes, cells: list[Row], rates: list[float], names: list[_Name]) -> None:
    """One bar per cell, with its value in numbers."""
    for cell, value in zip(cells, rates, strict=True):
        place = names.index(_name(cell))
        look = style.look(cell["precision"], standing(cell))
        axes.barh(
            *(place, value, 0.62),
            color=look.face,
            edgecolor=look.colour,
            linestyle=look.line,
            hatch=look.hatch or None,
        )
        axes.annotate(
            short(value),
            xy=(value, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
        )
    axes.set_xlim(0, _ROOM_FOR_NUMBERS * max(rates))
    axes.locator_params(axis="x", nbins=5, min_n_ticks=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x")


def labels(cells: list[Row]) -> list[str]:
    """`torch bf16`, with run and threads in front where they differ."""
    marks = {_name(cell): standing(cell) for cell in cells}
    engines = list(dict.fromkeys(cell["engine"] for cell in cells))
    made = []
    for (run, threads, engine, precision), mark in marks.items():
        parts = [run] if len({cell["run"] for cell in cells}) > 1 else []
        if len({cell["threads"] for cell in cells}) > 1:
            parts.append(f"{threads} thread{'s' if threads != 1 else ''}")
        parts.append(style.model_label(engine, precision, engines, mark))
        made.append(", ".join(parts))
    return made


def _name(cell: Row) -> _Name:
    return cell["run"], cell["threads"], cell["engine"], cell["precision"]
