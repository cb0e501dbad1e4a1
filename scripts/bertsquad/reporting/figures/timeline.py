"""The benchmark over time: how long batches took, how fast the machine was, who else computed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.reporting import style
from bertsquad.reporting.palette import MUTED, OTHER, PRECISION, REFERENCE, RULE
from bertsquad.reporting.summary.series import Series, read_series
from bertsquad.reporting.summary.summary import Summary

TITLE = "The benchmark over time: times of batches, speed of the machine, other programs"
READS = "cells"
SECTION = "speed"
RANK = 8
ALT = (
    "Over the minutes of the benchmark: the time of each cell's batches over their usual time, the "
    "rate of a matrix product before and after each cell, and how many processors others kept busy."
)
CAPTION = """\
Every cell at the time when it was measured: its batches (or passes), each divided by what one of \
its length takes; a matrix product before and after it, over the fastest of its kind; and how many \
processors other programs kept busy meanwhile.
A machine that stays as it is gives three level lines. Shaded batches came before the cell was \
steady and count for nothing; hollow marks are of cells that were disturbed.
"""
_MOST_POINTS = 3000  # of all cells: more would make the page slow and show no more


def caption(_summary: Summary) -> tuple[str, str]:
    return (
        "The benchmark over time.",
        "Level lines mean a machine that stayed as it was. Top: each cell's batches over what one "
        "of their length takes, those before it was steady on grey. Middle: a matrix product "
        "before and after the cell, over the fastest of its kind. Bottom: processors that others "
        "kept busy. Hollow marks are disturbed cells.",
    )


def draw(paths: Sequence[Path]) -> Figure | str:
    """Three panels over the minutes since the first cell began."""
    cells = sorted(filter(None, map(read_series, paths)), key=lambda cell: cell.started)
    if not cells:
        return "No cell tells when it was measured."
    figure = style.new_figure(4.6)
    times, product, others = figure.subplots(3, 1, sharex=True, height_ratios=(2.2, 1.3, 1))
    begin = cells[0].started
    for cell in cells:
        minute = (cell.started - begin).total_seconds() / 60
        _draw_times(times, cell, minute, max(2, _MOST_POINTS // len(cells)))
    _draw_products(product, cells)
    for cell in cells:
        if cell.other_cpus is not None:
            minute = (cell.started - begin).total_seconds() / 60
            others.vlines(minute, 0, cell.other_cpus, color=OTHER, linewidth=2)
    _finish(times, product, others)
    return figure


def _draw_times(axes: Axes, cell: Series, minute: float, most: int) -> None:
    """A cell's batches as medians of blocks, so that many cells stay readable."""
    at = minute + np.concatenate([[0], np.cumsum(cell.seconds)[:-1]]) / 60
    blocks = min(len(at), most, 20)
    places = [block[0] for block in np.array_split(np.arange(len(at)), blocks)]
    medians = [np.median(block) for block in np.array_split(cell.relative, blocks)]
    colour = PRECISION.get(cell.precision, OTHER)
    if cell.dropped:
        axes.axvspan(minute, at[min(cell.dropped, len(at) - 1)], color=RULE, linewidth=0)
    face = colour if cell.valid else "none"
    axes.plot(
        *(at[places], medians, "o"),
        markersize=2.8,
        markeredgewidth=0.7,
        color=colour,
        markerfacecolor=face,
    )


def _draw_products(axes: Axes, cells: Sequence[Series]) -> None:
    """Before and after each cell, joined, over the fastest of the same product."""
    best: dict[tuple[str, int], float] = {}
    for cell in cells:
        key = (cell.product, cell.threads)
        best[key] = max([best.get(key, 0.0), *(rate for rate in cell.products if rate)])
    for cell in cells:
        rates = [rate for rate in cell.products if rate]
        if len(rates) < 2:
            continue
        start = (cell.started - cells[0].started).total_seconds() / 60
        ends = [start, start + sum(cell.seconds) / 60]
        shares = [rate / best[cell.product, cell.threads] for rate in rates]
        face = MUTED if cell.valid else "none"
        axes.plot(
            ends, shares, "-o", color=MUTED, markersize=2.8, linewidth=0.8, markerfacecolor=face
        )


def _finish(times: Axes, product: Axes, others: Axes) -> None:
    times.set_title("time of a batch, over what one of its length takes")
    product.set_title("matrix product, over the fastest")
    others.set_title("processors that others kept busy")
    others.set_xlabel("minutes since the first cell began")
    for axes in (times, product):
        axes.axhline(1, color=REFERENCE, linewidth=0.8)
    product.axhline(0.97, color=REFERENCE, linewidth=0.8, linestyle=(0, (2, 2)))
    others.set_ylim(bottom=0)
    others.axhline(0.5, color=REFERENCE, linewidth=0.8, linestyle=(0, (2, 2)))
    low, high = times.get_ylim()
    times.set_ylim(max(low, 0.5), min(max(high, 1.1), 3.0))  # one slow batch would flatten the rest
