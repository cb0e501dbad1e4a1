"""Latency percentiles by precision and batch size."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.benchmark.percentiles import needed
from bertsquad.reporting import style
from bertsquad.reporting.figures.panels import Panel, fitted, panels
from bertsquad.reporting.formats import short
from bertsquad.reporting.palette import INK, MUTED
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.standing import standing
from bertsquad.reporting.summary.summary import Summary, records

TITLE = "Latency percentiles of one batch by precision and batch size"
READS = "summary"
SECTION = "speed"
RANK = 3
ALT = (
    "Median and 90th, 95th and 99th percentile of the time of one batch, by precision, batch size "
    "and scenario; the numbers are in the table of all cells."
)
CAPTION = """\
How long one batch takes: the dot is the median, the ticks are p90 and p95, the bar ends at p99, \
in milliseconds. A percentile takes a number of batches (p90 36, p95 72, p99 368); of fewer the \
bar ends at the slowest.
Further left is better; a long bar means that some batches wait much longer than most. Each batch \
size has its own scale. Grey bars are no results: the legend says why.
"""
_ROOM_FOR_NUMBERS = 1.45  # right of the longest bar, as a factor


def caption(summary: Summary) -> tuple[str, str]:
    text = (
        "Further left is better. Half of the batches are done by the dot; all but one in a hundred "
        "by the end of the bar. The numbers are these two times. Each batch size has a scale of "
        "its own."
    )
    fewest = summary.cells["iterations"].min()
    if not pd.isna(fewest) and fewest < needed(99):
        text += f" With fewer than {needed(99)} timed batches the bar ends at the slowest of them."
    if summary.repeats > 1:
        text += f" All are medians of {summary.repeats} repeats."
    return "Latency of one batch.", text


def draw(summary: Summary) -> Figure | str:
    """A strip per engine and precision: dot at p50, ticks at p90 and p95, end at p99, in ms for one
    batch (median of the repeats). A row of panels per batch size, a column per scenario; the panels
    of a row have one scale from 0: with a scale for all, a batch of 32 would flatten the others."""
    cells = summary.medians()
    cells = cells[cells["latency_p50_ms"].notna()]
    if cells.empty:
        return "No latency was measured."
    engines = list(cells["engine"].unique())
    grid = panels(cells)
    columns = max(panel.column for panel in grid) + 1
    rows = [
        (row, batch)
        for row in range(max(panel.row for panel in grid) + 1)
        for batch in sorted({b for p in grid if p.row == row for b in p.cells["batch_size"]})
    ]
    heights = [0.45 + 0.26 * _strips_in(grid, *row) for row in rows]
    figure = style.new_figure(sum(heights) + 0.55)
    style.explain_standings(figure, records(cells))
    plots = figure.subplots(
        len(rows), columns, sharex="row", sharey="row", squeeze=False, height_ratios=heights
    )
    for axes in plots.flat:
        axes.set_visible(False)
    titles = fitted([panel.title for panel in grid], columns)
    for panel, title in zip(grid, titles, strict=True):
        for line, (row, batch) in enumerate(rows):
            part = panel.cells[panel.cells["batch_size"] == batch]
            if row != panel.row or part.empty:
                continue
            axes = plots[line, panel.column]
            axes.set_visible(True)
            _draw_panel(axes, part, engines)
            if line == 0 or rows[line - 1][0] != row:
                axes.set_title(title, pad=10)
            if panel.column == 0:
                axes.set_ylabel(f"batch {batch}", color=INK, weight="bold", labelpad=8)
    figure.supxlabel(
        "ms for one batch. Dot: median. Ticks: p90, p95. End: p99, or the slowest of too few.",
        size=8.5,
        color=MUTED,
    )
    return figure


def _strips_in(grid: list[Panel], row: int, batch: int) -> int:
    """The most strips that a panel of this row and batch size holds."""
    return max((panel.cells["batch_size"] == batch).sum() for panel in grid if panel.row == row)


def _draw_panel(axes: Axes, cells: pd.DataFrame, engines: list[str]) -> None:
    """The strips of one scenario and batch size, one under the other."""
    names = []
    for place, cell in enumerate(records(cells)):
        _draw_strip(axes, cell, place)
        names.append(style.model_label(cell["engine"], cell["precision"], engines, standing(cell)))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    longest = max(_end(cell) for cell in records(cells))
    axes.set_xlim(0, max(axes.get_xlim()[1], longest * _ROOM_FOR_NUMBERS))
    axes.locator_params(axis="x", nbins=5, min_n_ticks=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x")


def _end(cell: Row) -> float:
    """Where a strip ends: at p99, or of too few batches at the slowest; ms."""
    known = (cell["latency_p99_ms"], cell["latency_max_ms"], cell["latency_p50_ms"])
    return next((value for value in known if value is not None), 0.0)


def _draw_strip(axes: Axes, cell: Row, place: float) -> None:
    """The percentiles of one cell, with the median and the end in numbers."""
    look = style.look(cell["precision"], standing(cell))
    middle, end = cell["latency_p50_ms"] or 0.0, _end(cell)
    axes.plot([middle, end], [place, place], color=look.colour, linewidth=2.2)
    for value in (cell["latency_p90_ms"], cell["latency_p95_ms"], cell["latency_p99_ms"]):
        if value is not None:
            axes.plot(
                *(value, place, "|"),
                color=look.colour,
                markersize=8,
                markeredgewidth=1.4,
                clip_on=False,
            )
    axes.plot(
        *(middle, place, look.marker),
        color=look.colour,
        markerfacecolor=look.face,
        markersize=6.5,
        clip_on=False,  # a short one lies on the axis
        zorder=3,
    )
    axes.annotate(
        short(middle) if end == middle else f"{short(middle)} to {short(end)}",
        xy=(end, place),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        size=8.5,
        annotation_clip=False,
    )
