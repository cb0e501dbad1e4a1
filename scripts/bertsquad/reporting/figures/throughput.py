"""Throughput by engine, precision and batch size, padded and at real lengths."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.reporting import style
from bertsquad.reporting.figures.panels import Panel, engine_panels, fitted
from bertsquad.reporting.formats import short
from bertsquad.reporting.palette import MUTED
from bertsquad.reporting.summary.standing import standing
from bertsquad.reporting.summary.summary import Summary, records

TITLE = "Throughput by engine, precision and batch size"
READS = "summary"
SECTION = "speed"
RANK = 2
ALT = (
    "Features per second over batch size, by engine, precision and scenario; "
    "the numbers are in the table of all cells."
)
CAPTION = """\
Features (a question with one window of its passage) answered per second, by engine, precision and \
batch size.
Higher is better; panels have one scale and compare features padded to the full length with their \
real lengths. Grey lines are no results: the legend says why.
"""
_PANEL_HEIGHT = 2.7  # inches


def caption(summary: Summary) -> tuple[str, str]:
    engine = "engine, " if summary.cells["engine"].nunique() > 1 else ""
    text = (
        "Higher is better; all panels have one scale. The number beside a line is the throughput "
        "at its last batch size."
    )
    if summary.repeats > 1:
        text += f" Lines go through the median of {summary.repeats} repeats; "
        text += "faint marks are the repeats."
    return f"Throughput by {engine}precision and batch size.", text


def draw(summary: Summary) -> Figure | str:
    """Features per second over batch size: a line per precision (median of the repeats), a faint
    mark per repeat, one panel per engine and scenario with a common scale from 0."""
    cells = summary.medians()
    if cells.empty:
        return "No benchmark cell was measured."
    repeats = summary.cells_of()
    batches = sorted(cells["batch_size"].unique())
    grid = engine_panels(cells)
    rows = max(panel.row for panel in grid) + 1
    columns = max(panel.column for panel in grid) + 1
    figure = style.new_figure(_PANEL_HEIGHT * rows + 0.3)
    style.explain_standings(figure, records(cells))
    plots = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes in plots.flat:
        axes.set_visible(False)
    top = float(repeats["features_per_second"].max()) * 1.08
    titles = fitted([panel.title for panel in grid], columns)
    for panel, title in zip(grid, titles, strict=True):
        axes = plots[panel.row, panel.column]
        axes.set_visible(True)
        axes.set_ylim(0, top)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        if not panel.engine:
            axes.set_title(title)
        elif not _heading(grid, panel):
            axes.set_title(f"{panel.title}\n{panel.engine}")
        else:
            axes.set_title(panel.engine)
        _draw_panel(axes, panel.cells, repeats, batches, wordy=not panel.engine)
        if panel.row == max(each.row for each in grid if each.column == panel.column):
            axes.set_xlabel("batch size, features")
            axes.tick_params(labelbottom=True)
    figure.supylabel("features per second", size=9, color=MUTED)
    return figure


def _heading(grid: list[Panel], panel: Panel) -> bool:
    """Whether a panel further left has said what the row is."""
    return any(each.row == panel.row and each.column < panel.column for each in grid)


def _draw_panel(
    axes: Axes, cells: pd.DataFrame, repeats: pd.DataFrame, batches: list[int], *, wordy: bool
) -> None:
    """One line per precision, labelled with its last value where it ends and, if `wordy`, with why
    it is not a result; in a narrow panel the legend explains it."""
    ends = []
    for precision, line in cells.groupby("precision", sort=False):
        line = line.sort_values("batch_size")
        x = [batches.index(batch) for batch in line["batch_size"]]
        y = line["features_per_second"].to_numpy(dtype=float)
        mark = standing(records(line)[0])
        look = style.look(str(precision), mark)
        if line["repeats"].max() > 1:
            same = ["run", "engine", "precision", "scenario", "threads"]
            each = repeats[(repeats[same] == line.iloc[0][same]).all(axis=1)]
            at = [batches.index(batch) for batch in each["batch_size"]]
            speeds = each["features_per_second"].astype(float)
            axes.plot(at, speeds, look.marker, color=look.colour, alpha=0.25)
        axes.plot(
            *(x, y),
            linestyle=look.line,
            marker=look.marker,
            color=look.colour,
            markerfacecolor=look.face,
            clip_on=False,  # beside a far faster engine a slow one lies on the axis
        )
        name = style.model_label("", str(precision), [], mark if wordy else "")
        ends.append((x[-1], y[-1], f"{name}\u2002{short(y[-1])}", look.ink))
    axes.set_xticks(np.arange(len(batches)), [str(batch) for batch in batches])
    axes.set_xlim(-0.25, len(batches) - 0.75)
    style.label_line_ends(axes, ends, _PANEL_HEIGHT - 0.8)
