"""Exact match and F1 of every run and precision, with their intervals."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.reporting import style
from bertsquad.reporting.palette import INK
from bertsquad.reporting.summary.standing import FAILED, is_false
from bertsquad.reporting.summary.tables import accuracy_rows

TITLE = "Exact match and F1 with their intervals, by run and precision"
PANELS = (("exact_match", "exact match, %"), ("f1", "F1, %"))


def draw(summary: pd.DataFrame) -> Figure:
    """Dots with whiskers, in percent: a row per (run, engine, precision), a panel per measure."""
    rows = accuracy_rows(summary)
    if rows.empty:
        return style.message("No predictions were scored.")
    engines = list(rows["engine"].unique())
    places, headings = layout(rows)
    bottom = max(places) + 0.8
    figure = style.new_figure(0.75 + 0.26 * (bottom + 1))
    style.explain_standings(figure, rows.assign(native=True))  # emulated or not, a score is one
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (measure, label) in zip(panels, PANELS, strict=True):
        for (_, row), place in zip(rows.iterrows(), places, strict=True):
            draw_row(axes, row, measure, place)
        axes.set_xlim(limits(rows, measure))
        axes.set_xlabel(label)
        axes.grid(axis="x")
        axes.grid(axis="y", visible=False)
    panels[0].set_ylim(bottom, -0.8)
    panels[0].set_yticks(places)
    names = [
        style.model_label(row["engine"], row["precision"], engines, mark(row))
        for row in rows.to_dict("records")
    ]
    panels[0].set_yticklabels(names)
    for name, place in headings:
        panels[0].annotate(
            name,
            xy=(0, place),
            xycoords=("axes fraction", "data"),
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            weight="bold",
            color=INK,
            annotation_clip=False,
        )
    return figure


def layout(rows: pd.DataFrame) -> tuple[list[float], list[tuple[str, float]]]:
    """Vertical place of each row, and of the heading of each run above its rows."""
    places: list[float] = []
    headings: list[tuple[str, float]] = []
    place = -1.0
    previous = None
    for run in rows["run"]:
        if run != previous:
            place += 1.0 if previous is None else 1.5
            headings.append((run, place))
            previous = run
        place += 1
        places.append(place)
    return places, headings


def draw_row(axes: Axes, row: pd.Series, measure: str, place: float) -> None:
    """A dot, its whisker, and the number above them."""
    value, low, high = row[measure], row[f"{measure}_low"], row[f"{measure}_high"]
    look = style.look(row["precision"], mark(row))
    if pd.notna(low) and pd.notna(high):
        axes.plot([low, high], [place, place], color=look.colour, linewidth=2.2)
    axes.plot(value, place, look.marker, color=look.colour, markersize=6.5)
    right = value if pd.isna(high) else high
    axes.annotate(
        f"{value:.1f}",
        xy=(right, place),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
    )


def mark(row: Mapping[str, Any]) -> str:
    """FAILED or ""."""
    return FAILED if is_false(row["passed"]) else ""


def limits(rows: pd.DataFrame, measure: str) -> tuple[float, float]:
    """From the lowest to the highest whisker and at least 10 points; never beyond 0 or 100."""
    lows = rows[f"{measure}_low"].fillna(rows[measure])
    highs = rows[f"{measure}_high"].fillna(rows[measure])
    low, high = float(lows.min()), float(highs.max())
    margin = max((high - low) * 0.06, (10 - (high - low)) / 2, 0.5)
    low, high = max(0.0, low - margin), min(100.0, high + margin)
    if low < high / 3:
        high = 100.0 if high > 85 else high
        return -0.03 * high, high  # a dot at 0 stays clear of the names
    return low, high
