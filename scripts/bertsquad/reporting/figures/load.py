"""Latency against the rate at which requests come, measured and computed."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from bertsquad.reporting import style
from bertsquad.reporting.formats import short
from bertsquad.reporting.palette import MUTED, REFERENCE
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.standing import standing
from bertsquad.reporting.summary.summary import Summary, records

TITLE = "Latency under load by engine, precision and layout"
READS = "summary"
SECTION = "speed"
RANK = 5
ALT = (
    "Median and 99th percentile of the latency against the rate of requests, with the percentile "
    "that the twin computed; the numbers are in the table of all cells."
)
CAPTION = """\
How long requests take that come by themselves, from their scheduled arrival, against their rate.
Filled marks are p99 with its interval, small ones the median; the line is p99 as the twin \
computes it from the services alone. The dotted line is the capacity, the horizontal one the limit \
of p99.
"""
_COLUMNS = 3
_ROW_HEIGHT = 2.5  # inches
_Group = tuple[str, str, str, str]  # run, engine, precision, layout


def caption(summary: Summary) -> tuple[str, str]:
    text = (
        "Filled marks: p99 from the scheduled arrival, with its interval; small ones: the median. "
        "The line is p99 as the twin computes it, the dotted one the capacity of the layout."
    )
    if summary.cells["slo_ms"].notna().any():
        text += " Horizontal: the limit of p99 within which the highest rate was sought."
    return "Latency under load.", text


def draw(summary: Summary) -> Figure | str:
    """A panel for each run, engine, precision and layout that was a server; ms on a logarithmic
    axis against requests a second. Every repeat is a mark of its own."""
    groups: dict[_Group, list[Row]] = {}
    for row in records(summary.cells_of(["server"])):
        name = (row["run"], row["engine"], row["precision"], row["layout"])
        groups.setdefault(name, []).append(row)
    if not groups:
        return "Nothing was measured under load."
    rows = -(-len(groups) // _COLUMNS)
    columns = min(_COLUMNS, len(groups))
    figure = style.new_figure(_ROW_HEIGHT * rows)
    style.explain_standings(figure, [row for part in groups.values() for row in part])
    plots = figure.subplots(rows, columns, squeeze=False)
    for axes in plots.flat:
        axes.set_visible(False)
    several = len({name[0] for name in groups}) > 1
    for place, (name, part) in enumerate(groups.items()):
        axes = plots.flat[place]
        axes.set_visible(True)
        _draw_panel(axes, sorted(part, key=lambda row: row["arrival_rate"] or 0.0))
        run, engine, precision, layout = name
        title = f"{engine} {precision}, {layout}"
        axes.set_title(f"{run}\n{title}" if several else title)
    figure.supxlabel("requests a second", size=8.5, color=MUTED)
    figure.supylabel("latency, ms", size=8.5, color=MUTED)
    return figure


def _draw_panel(axes: Axes, rows: list[Row]) -> None:
    """The runs of one layout."""
    axes.set_yscale("log")
    twin = [(row["arrival_rate"], row["twin_p99_ms"]) for row in rows]
    axes.plot(*zip(*twin, strict=True), color=REFERENCE, linewidth=1.4)
    for row in rows:
        rate = row["arrival_rate"] or 0.0
        look = style.look(row["precision"], standing(row))
        tail, middle = row["latency_p99_ms"], row["latency_p50_ms"]
        if middle is not None:
            axes.plot(rate, middle, look.marker, color=look.colour, markersize=3)
        if tail is None:
            continue
        low = row["latency_p99_low_ms"] or tail
        high = row["latency_p99_high_ms"] or tail
        axes.plot([rate, rate], [low, high], color=look.colour, linewidth=1)
        axes.plot(rate, tail, look.marker, color=look.colour, markerfacecolor=look.face)
    capacity = max(row["capacity_per_second"] or 0.0 for row in rows)
    axes.axvline(capacity, color=REFERENCE, linewidth=1, linestyle=(0, (1, 1.5)))
    for limit in sorted({row["slo_ms"] for row in rows if row["slo_ms"] is not None}):
        axes.axhline(limit, color=MUTED, linewidth=0.8)
    axes.set_xlim(0, 1.08 * max(capacity, *(row["arrival_rate"] or 0.0 for row in rows)))
    axes.locator_params(axis="x", nbins=4)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(lambda value, _: short(value))
    axes.yaxis.set_minor_locator(NullLocator())
