"""Exact match and F1 of every run and precision, with their intervals."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.reporting import style
from bertsquad.reporting.formats import score
from bertsquad.reporting.palette import INK
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.standing import FAILED, is_false
from bertsquad.reporting.summary.summary import Summary, records

TITLE = "Exact match and F1 with their intervals, by run and precision"
READS = "summary"
SECTION = "accuracy"
RANK = 1
ALT = (
    "Exact match and F1 of every run and precision, with intervals; "
    "the numbers are in the table below."
)
CAPTION = """\
Exact match and F1 of every run, engine and inference precision, with 95 % intervals.
Further right is better; scores whose bars overlap may differ by chance alone. \
Grey ones keep too little of FP32's F1.
"""
_Measured = tuple[float, float | None, float | None]  # value, low and high end
_PANELS = (("exact_match", "exact match, %"), ("f1", "F1, %"))


def caption(summary: Summary) -> tuple[str, str]:
    confidence = "" if summary.confidence is None else f"{100 * summary.confidence:g}\u00a0% "
    return (
        "Exact match and F1 by run and inference precision.",
        f"The dot is the score, the bar its {confidence}interval: how far the score would move "
        "with other questions on these articles; with other articles it moves further (see the "
        "table). Scores with overlapping bars may differ by chance alone. An arrow points to a "
        "score that lies outside, of a model that was not trained.",
    )


def draw(summary: Summary) -> Figure | str:
    """Dots with whiskers, in percent: a row per (run, engine, precision), a panel per measure."""
    rows = records(summary.scored)
    if not rows:
        return "No predictions were scored."
    engines = list(dict.fromkeys(row["engine"] for row in rows))
    places, headings = _layout(rows)
    bottom = max(places) + 0.8
    figure = style.new_figure(0.75 + 0.26 * (bottom + 1))
    style.explain_standings(figure, rows, {_mark(row) for row in rows})
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (measure, label) in zip(panels, _PANELS, strict=True):
        scores = [_score(row, measure) for row in rows]
        left, right = _limits(_in_focus(rows, scores))
        for row, found, place in zip(rows, scores, places, strict=True):
            if found[0] < left:
                _point_left(axes, row, found[0], place)
            else:
                _draw_row(axes, row, found, place)
        axes.set_xlim(left, right)
        axes.set_xlabel(label)
        axes.grid(axis="x")
        axes.grid(axis="y", visible=False)
    panels[0].set_ylim(bottom, -0.8)
    panels[0].set_yticks(places)
    names = [
        style.model_label(row["engine"], row["precision"], engines, _mark(row)) for row in rows
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


def _layout(rows: list[Row]) -> tuple[list[float], list[tuple[str, float]]]:
    """Vertical place of each row, and of the heading of each run above its rows."""
    places: list[float] = []
    headings: list[tuple[str, float]] = []
    place = -1.0
    previous = None
    for row in rows:
        if row["run"] != previous:
            place += 1.0 if previous is None else 1.5
            headings.append((row["run"], place))
            previous = row["run"]
        place += 1
        places.append(place)
    return places, headings


def _score(row: Row, measure: str) -> _Measured:
    """Value, low and high end of a measure."""
    if measure == "f1":
        return row["f1"] or 0.0, row["f1_low"], row["f1_high"]
    return row["exact_match"] or 0.0, row["exact_match_low"], row["exact_match_high"]


def _in_focus(rows: list[Row], scores: list[_Measured]) -> list[_Measured]:
    """The scores that the axis must hold: of trained runs where there are such. A baseline without
    training would stretch it until no interval can be seen."""
    trained = [each for row, each in zip(rows, scores, strict=True) if row["train_steps"]]
    return trained or scores


def _point_left(axes: Axes, row: Row, value: float, place: float) -> None:
    """The number of a score that lies left of the axis, with an arrow towards it."""
    axes.annotate(
        f"\u2190 {score(value)}",
        xy=(0, place),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        color=style.look(row["precision"], _mark(row)).ink,
    )


def _draw_row(axes: Axes, row: Row, found: _Measured, place: float) -> None:
    """A dot, its whisker, and the number beside them."""
    value, low, high = found
    look = style.look(row["precision"], _mark(row))
    if low is not None and high is not None:
        axes.plot([low, high], [place, place], color=look.colour, linewidth=2.2)
    axes.plot(value, place, look.marker, color=look.colour, markersize=6.5)
    axes.annotate(
        score(value),
        xy=(value if high is None else high, place),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
    )


def _mark(row: Row) -> str:
    """FAILED or "": an emulated score is a score like any other."""
    return FAILED if is_false(row["passed"]) else ""


def _limits(scores: list[_Measured]) -> tuple[float, float]:
    """From the lowest to the highest whisker and at least 10 points; never beyond 0 or 100."""
    low = min(value if low is None else low for value, low, _ in scores)
    high = max(value if high is None else high for value, _, high in scores)
    margin = max((high - low) * 0.06, (10 - (high - low)) / 2, 0.5)
    low, high = max(0.0, low - margin), min(100.0, high + margin)
    if low < high / 3:
        high = 100.0 if high > 85 else high
        return -0.03 * high, high  # a dot at 0 stays clear of the names
    return low, high
