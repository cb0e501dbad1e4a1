"""Throughput by precision and batch size, padded and at real lengths."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.reporting import style
from bertsquad.reporting.figures.panels import panels
from bertsquad.reporting.formats import short
from bertsquad.reporting.tables import cell_rows, is_emulated, medians

TITLE = "Throughput by precision and batch size"
PANEL_HEIGHT = 2.7  # inches


def draw(summary: pd.DataFrame) -> Figure:
    """Features per second over batch size: a line per engine and precision (median of the repeats),
    a faint mark per repeat, one panel per scenario with a common scale from 0."""
    cells = medians(summary)
    if cells.empty:
        return style.message("No benchmark cell was measured.")
    repeats = cell_rows(summary)
    engines = list(cells["engine"].unique())
    batches = sorted(cells["batch_size"].unique())
    grid = panels(cells)
    rows = max(panel.row for panel in grid) + 1
    columns = max(panel.column for panel in grid) + 1
    figure = style.new_figure(PANEL_HEIGHT * rows + 0.3)
    plots = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes in plots.flat:
        axes.set_visible(False)
    top = float(repeats["features_per_second"].max()) * 1.08
    for panel in grid:
        axes = plots[panel.row, panel.column]
        axes.set_visible(True)
        axes.set_ylim(0, top)
        axes.set_title(panel.title)
        draw_panel(axes, panel.cells, repeats, engines, batches)
        if panel.row == rows - 1:
            axes.set_xlabel("batch size, features")
    figure.supylabel("features per second", size=9, color=style.MUTED)
    return figure


def draw_panel(
    axes: Axes, cells: pd.DataFrame, repeats: pd.DataFrame, engines: list[str], batches: list[int]
) -> None:
    """One line per engine and precision, labelled with its best value where it ends."""
    ends = []
    for (engine, precision), line in cells.groupby(["engine", "precision"], sort=False):
        line = line.sort_values("batch_size")
        x = [batches.index(batch) for batch in line["batch_size"]]
        y = line["features_per_second"].to_numpy(dtype=float)
        colour = style.precision_colour(precision)
        marker = style.precision_marker(precision)
        if line["repeats"].max() > 1:
            same = cells[["run", "scenario", "threads"]].iloc[0]
            each = repeats[
                (repeats["engine"] == engine)
                & (repeats["precision"] == precision)
                & (repeats["run"] == same["run"])
                & (repeats["scenario"] == same["scenario"])
                & (repeats["threads"] == same["threads"])
            ]
            at = [batches.index(batch) for batch in each["batch_size"]]
            axes.plot(
                at, each["features_per_second"].astype(float), marker, color=colour, alpha=0.25
            )
        axes.plot(x, y, linestyle=style.engine_line(engine, engines), marker=marker, color=colour)
        emulated = is_emulated(line["native"])
        name = style.model_label(engine, precision, engines, emulated=emulated)
        ends.append((x[-1], y[-1], f"{name}\u2002{short(y[-1])}", colour))
    axes.set_xticks(np.arange(len(batches)), [str(batch) for batch in batches])
    axes.set_xlim(-0.25, len(batches) - 0.75)
    style.label_line_ends(axes, ends, PANEL_HEIGHT - 0.8)
