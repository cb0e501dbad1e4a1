"""What this machine can do: throughput, share of its ceiling and latency of every engine."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.benchmark.validity import VERDICTS
from bertsquad.reporting import style
from bertsquad.reporting.formats import percent, short
from bertsquad.reporting.palette import INK, MUTED, PAPER, REFERENCE
from bertsquad.reporting.summary.speed import no_share, ranked

TITLE = "Speed of BERT-Large by engine and precision"
_ROOM_FOR_NUMBERS = 1.35  # right of the longest bar, as a factor


def draw(table: pd.DataFrame) -> Figure:
    """A line for each engine and precision that was measured, the fastest on top, those that
    were disturbed below all others and marked. Three panels:
    features/s at real lengths (filled) and padded (hollow); useful GFLOP/s as a share of the
    ceiling; latency of a single request from p50 over p90 to p99, or to the slowest of too few."""
    measured = ranked(table)
    if measured.empty:
        return style.message("No engine was measured.")
    figure = style.new_figure(1.2 + 0.34 * len(measured))
    throughput, share, latency = figure.subplots(1, 3, sharey=True, width_ratios=(4, 3, 4))
    for place, (_, row) in enumerate(measured.iterrows()):
        _draw_throughput(throughput, row, place)
        _draw_share(share, row, place)
        _draw_latency(latency, row, place)
    throughput.set_xlim(0, measured["features_per_second"].max() * _ROOM_FOR_NUMBERS)
    share.set_xlim(0, 1.3)
    share.axvline(1, color=REFERENCE, linewidth=1)
    share.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    latency.set_xlim(0, max(_slowest(row) for _, row in measured.iterrows()) * _ROOM_FOR_NUMBERS)
    throughput.set_title("features per second")
    share.set_title("share of ceiling")
    latency.set_title("latency, ms")
    figure.supxlabel(
        "Features per second: filled at real lengths, hollow padded. Share: useful GFLOP/s over\n"
        "what products reach here. Latency of one request: dot p50, tick p90, end of bar p99,\n"
        "of fewer than 368 requests the slowest.",
        size=8.5,
        color=MUTED,
    )
    throughput.set_yticks(range(len(measured)), [_name_of(row) for _, row in measured.iterrows()])
    throughput.set_ylim(len(measured) - 0.5, -0.5)
    for axes in (throughput, share, latency):
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x")
    for axes in (throughput, latency):
        axes.locator_params(axis="x", nbins=4, min_n_ticks=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    return figure


def _name_of(row: pd.Series) -> str:
    if not row["native"]:
        mark = " (emulated)"
    else:
        mark = "" if row["validity"] == VERDICTS[0] else f" ({row['validity']})"
    return f"{row['engine']} {row['precision']}{mark}"


def _draw_throughput(axes: Axes, row: pd.Series, place: int) -> None:
    colour = style.look(row["precision"]).colour
    marker = style.look(row["precision"]).marker
    real, padded = row["features_per_second"], row["padded_features_per_second"]
    axes.plot([padded, real], [place, place], color=colour, linewidth=1)
    axes.plot(padded, place, marker, color=colour, markerfacecolor=PAPER, markersize=6)
    axes.plot(real, place, marker, color=colour, markersize=6.5)
    _write(axes, max(real, padded), place, f"{short(real)}, {short(padded)}")


def _draw_share(axes: Axes, row: pd.Series, place: int) -> None:
    if reason := no_share(row):
        axes.annotate(reason, (0.03, place), va="center", size=8.5, color=MUTED)
        return
    colour = style.look(row["precision"]).colour
    axes.barh(place, row["ceiling_share"], height=0.5, color=colour)
    inside = row["ceiling_share"] > 0.3
    axes.annotate(
        percent(row["ceiling_share"]),
        xy=(row["ceiling_share"], place),
        xytext=(-5 if inside else 5, 0),
        textcoords="offset points",
        ha="right" if inside else "left",
        va="center",
        size=8.5,
        color=PAPER if inside else INK,
    )


def _draw_latency(axes: Axes, row: pd.Series, place: int) -> None:
    colour = style.look(row["precision"]).colour
    middle, end = row["latency_p50_ms"], _slowest(row)
    axes.plot([middle, end], [place, place], color=colour, linewidth=2.2)
    for value in (row["latency_p90_ms"], end):
        axes.plot(value, place, "|", color=colour, markersize=8, markeredgewidth=1.4)
    axes.plot(middle, place, style.look(row["precision"]).marker, color=colour, markersize=6.5)
    _write(axes, end, place, f"{short(middle)} to {short(end)}")


def _slowest(row: pd.Series) -> float:
    """Where the bar of the latency ends: at p99, or of too few requests at the slowest."""
    end = row["latency_p99_ms"]
    return float(row["latency_max_ms"] if pd.isna(end) else end)


def _write(axes: Axes, x: float, y: int, text: str) -> None:
    axes.annotate(
        text,
        xy=(x, y),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        size=8.5,
        annotation_clip=False,
    )
