"""F1 against speed: what a faster engine or precision costs in answers."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from bertsquad.benchmark.modes import ENGINE_ALONE
from bertsquad.reporting import style
from bertsquad.reporting.figures.panels import fitted
from bertsquad.reporting.palette import MUTED, REFERENCE
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.standing import percent, standing
from bertsquad.reporting.summary.summary import CELL_KEY, Summary, records

TITLE = "F1 against features per second, by run, engine and precision"
READS = "summary"
SECTION = "speed"
RANK = 4
ALT = (
    "F1 against features per second of every benchmark cell, with intervals and the limit of F1; "
    "the numbers are in the tables of accuracy and of all cells."
)
CAPTION = """\
F1 of every benchmark cell against its speed; a point is a cell, its bars are intervals.
Right is faster, up is better; what lies in the shaded part keeps too little of FP32's F1.
"""
_HEIGHT = 2.5  # inches of a row of panels
_WIDE = 12.0  # speeds that differ by more have an axis of powers
_VERY_WIDE = 60.0  # and these one of powers of ten alone
_Ends = tuple[float, float]


def caption(summary: Summary) -> tuple[str, str]:
    confidence = "" if summary.confidence is None else f"{100 * summary.confidence:g}\u00a0% "
    across = (
        "the range of its repeats"
        if summary.repeats > 1
        else "the interval of its median time, where it was measured in batches"
    )
    return (
        "F1 against speed.",
        f"A point is a cell: right is faster, up is better. The upright bar is the {confidence}"
        f"interval of F1 for other questions, the level one {across}. Below the dashed line, the "
        "gate, too little of FP32’s F1 is left. Cells of one model share their F1.",
    )


def draw(summary: Summary) -> Figure | str:
    """A panel per run and engine; a point per cell (median of its repeats) that was scored."""
    cells = [row for row in records(summary.medians(ENGINE_ALONE)) if row["f1"] is not None]
    if not cells:
        return "Nothing that was timed was scored."
    runs = list(dict.fromkeys(row["run"] for row in cells))
    engines = list(dict.fromkeys(row["engine"] for row in cells))
    ranges = _ranges(summary)
    figure = style.new_figure(0.7 + _HEIGHT * len(runs))
    style.explain_standings(figure, cells)
    panels = figure.subplots(len(runs), len(engines), sharex=True, sharey="row", squeeze=False)
    named = [f"{run}: {engine}" for run in runs for engine in engines]
    titles = iter(fitted(named, len(engines)))
    for run, row_of_panels in zip(runs, panels, strict=True):
        of_run = [row for row in cells if row["run"] == run]
        low, high = _limits(of_run)
        for engine, axes in zip(engines, row_of_panels, strict=True):
            for row in of_run:
                if row["engine"] == engine:
                    _draw_cell(axes, row, ranges.get(_key(row)))
            _draw_gate(axes, _gate(of_run), low)
            axes.set_title(engine if len(runs) == 1 else next(titles))
            axes.grid(axis="both")
        row_of_panels[0].set_ylim(low, high)
        row_of_panels[0].set_ylabel("F1, %")
    for axes in panels[-1]:
        axes.set_xlabel("features per second")
        _scale(axes, cells)
    _name_precisions(figure, cells)
    return figure


def _key(row: Row) -> tuple[object, ...]:
    fields = dict(row)
    return tuple(fields[name] for name in CELL_KEY)


def _ranges(summary: Summary) -> dict[tuple[object, ...], _Ends]:
    """Slowest and fastest of the repeats of each cell that has several."""
    rates: dict[tuple[object, ...], list[float]] = {}
    for row in records(summary.cells_of(ENGINE_ALONE)):
        if row["features_per_second"] is not None and standing(row) == "":
            rates.setdefault(_key(row), []).append(row["features_per_second"])
    return {key: (min(found), max(found)) for key, found in rates.items() if len(found) > 1}


def speed_ends(row: Row) -> _Ends | None:
    """The interval of a cell's speed that follows from that of its median time; None: unknown."""
    middle, low, high = (
        row["latency_p50_ms"],
        row["latency_p50_low_ms"],
        row["latency_p50_high_ms"],
    )
    if not (middle and low and high):
        return None
    rate = row["features_per_second"] or 0.0
    return rate * middle / high, rate * middle / low


def _draw_cell(axes: Axes, row: Row, repeats: _Ends | None) -> None:
    """A point with its two bars."""
    look = style.look(row["precision"], standing(row))
    rate, f1 = row["features_per_second"] or 0.0, row["f1"] or 0.0
    if row["f1_low"] is not None and row["f1_high"] is not None:
        ends = [row["f1_low"], row["f1_high"]]
        axes.plot([rate, rate], ends, color=look.colour, linewidth=0.9, alpha=0.55)
    across = repeats or speed_ends(row)
    if across is not None:
        axes.plot(across, [f1, f1], color=look.colour, linewidth=1.4)
    axes.plot(
        *(rate, f1, look.marker),
        color=look.colour,
        markerfacecolor=look.face,
        markersize=5.5,
    )


def _gate(rows: list[Row]) -> float | None:
    """The least F1 that passes in a run; None where nothing was compared."""
    limits = [
        row["minimum_f1_share"] * row["f1"] / row["f1_share"]
        for row in rows
        if row["minimum_f1_share"] and row["f1"] and row["f1_share"]
    ]
    return max(limits, default=None)


def _draw_gate(axes: Axes, gate: float | None, low: float) -> None:
    if gate is None:
        return
    axes.axhline(gate, color=MUTED, linewidth=1.1, linestyle=(0, (4, 2)))
    axes.axhspan(min(low, gate), gate, color=REFERENCE, alpha=0.16, linewidth=0)


def _limits(rows: list[Row]) -> _Ends:
    """All intervals and the gate, with room around them."""
    known = [row[name] for row in rows for name in ("f1", "f1_low", "f1_high")]
    values = [value for value in (*known, _gate(rows)) if isinstance(value, int | float)]
    low, high = min(values), max(values)
    room = max(0.12 * (high - low), 0.3)
    return low - room, min(high + room, 100.5)


def _scale(axes: Axes, cells: list[Row]) -> None:
    rates = [row["features_per_second"] or 0.0 for row in cells]
    if min(rates) > 0 and max(rates) / min(rates) > _WIDE:
        axes.set_xscale("log")
        marks = (1.0, 2.0, 5.0) if max(rates) / min(rates) < _VERY_WIDE else (1.0,)
        axes.xaxis.set_major_locator(LogLocator(subs=marks))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(min(rates) / 1.5, max(rates) * 1.5)
    else:
        axes.set_xlim(0, 1.1 * max(rates))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")


def _name_precisions(figure: Figure, cells: list[Row]) -> None:
    """A legend below the panels: precisions, and the gate with its limit."""
    handles = []
    for precision in dict.fromkeys(row["precision"] for row in cells):
        look = style.look(precision)
        handles.append(
            Line2D([], [], color=look.colour, marker=look.marker, linestyle="", label=precision)
        )
    limits = [row["minimum_f1_share"] for row in cells if row["minimum_f1_share"]]
    if limits:
        label = f"gate: {percent(max(limits), digits=None)} of FP32\u2019s F1"
        handles.append(Line2D([], [], color=MUTED, linestyle=(0, (4, 2)), label=label))
    figure.legend(
        handles=handles,
        loc="outside lower left",
        ncols=len(handles),
        frameon=False,
        labelcolor=MUTED,
    )
