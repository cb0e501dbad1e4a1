"""Throughput with many questions at hand: from texts to answers, and of the engine alone."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.benchmark.modes import MODES
from bertsquad.reporting import style
from bertsquad.reporting.formats import short
from bertsquad.reporting.page.findings import records
from bertsquad.reporting.summary.standing import standing
from bertsquad.reporting.summary.tables import medians

TITLE = "Offline throughput by engine and precision"
ROOM_FOR_NUMBERS = 1.22  # right of the longest bar, as a factor
NAME = ("run", "threads", "engine", "precision")


def draw(summary: pd.DataFrame) -> Figure:
    """Bars, longer is better: a row per run, engine and precision (median of the repeats), a panel
    per scenario in which the engine has many questions or features at hand."""
    measured = [
        (cells, mode.rates[0], scenario if scenario != mode.name.replace("_", "-") else mode.panel)
        for mode in sorted(MODES.values(), key=lambda mode: not mode.from_texts)
        if mode.whole_set
        for scenario, cells in medians(summary, [mode.name]).groupby("scenario", sort=False)
    ]
    if not measured:
        return style.message("No offline throughput was measured.")
    every = pd.concat([cells for cells, *_ in measured])
    names = list(every[list(NAME)].drop_duplicates().itertuples(index=False, name=None))
    figure = style.new_figure(0.9 + 0.27 * len(names))
    style.explain_standings(figure, every)
    panels = figure.subplots(1, len(measured), sharey=True, squeeze=False)[0]
    for axes, (cells, measure, title) in zip(panels, measured, strict=True):
        draw_bars(axes, records(cells), measure, names)
        axes.set_title(title)
        axes.set_xlabel(measure.replace("_", " "))
    panels[0].set_yticks(range(len(names)), labels(every, names))
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    return figure


def draw_bars(
    axes: Axes, cells: list[dict[str, Any]], measure: str, names: list[tuple[Any, ...]]
) -> None:
    """One bar per cell, with its value in numbers."""
    for cell in cells:
        place = names.index(tuple(cell[name] for name in NAME))
        look = style.look(cell["precision"], standing(cell))
        value = float(cell[measure])
        axes.barh(place, value, 0.62, color=look.face, edgecolor=look.colour, linestyle=look.line)
        axes.annotate(
            short(value),
            xy=(value, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
        )
    axes.set_xlim(0, ROOM_FOR_NUMBERS * max(float(cell[measure]) for cell in cells))
    axes.locator_params(axis="x", nbins=5, min_n_ticks=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x")


def labels(cells: pd.DataFrame, names: list[tuple[Any, ...]]) -> list[str]:
    """`torch bf16`, with run and threads in front where they differ."""
    marks = {tuple(cell[name] for name in NAME): standing(cell) for cell in records(cells)}
    made = []
    for name in names:
        run, threads, engine, precision = name
        parts = [run] if cells["run"].nunique() > 1 else []
        parts += [f"{threads} threads"] if cells["threads"].nunique() > 1 else []
        engines = list(cells["engine"].unique())
        parts.append(style.model_label(engine, precision, engines, marks[name]))
        made.append(", ".join(parts))
    return made
