"""How many times as fast as each peer, by work."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from bertsquad.benchmark.verdicts import Verdict
from bertsquad.peers.rows import Row, rows
from bertsquad.reporting import style
from bertsquad.reporting.formats import short
from bertsquad.reporting.palette import INK, MUTED, REFERENCE

TITLE = "How many times as fast as each peer"
_ROW_HEIGHT = 0.23  # inches
_TASKS = {
    "data": "texts to features",
    "inference": "inference",
    "answers": "texts to answers",
    "single": "one request",
    "training": "fine-tuning",
}
_FORMS = {"real": "real lengths", "padded": "padded", "single": "one request", "texts": ""}


def draw(works: Sequence[Mapping[str, Any]]) -> Figure:
    """A mark for the ratio of our rate to each peer's, a bar over its interval where enough rounds
    bound it; hollow where the rounds cannot tell who is faster. On a logarithmic axis, 1 is as
    fast. Ours runs at real lengths where it can."""
    bars = [
        (work, row, ratio)
        for work in works
        if work["task"] in _TASKS
        for row in rows(work)
        if not row.contender["ours"] and (ratio := row.real_lengths or row.same_form)
    ]
    if not bars:
        return style.message("Nothing was measured beside other software.")
    figure = style.new_figure(
        _ROW_HEIGHT * (len(bars) + len({w["work"] for w, _, _ in bars})) + 0.9
    )
    axes = figure.subplots()
    axes.set_xscale("log")
    place, ticks, previous = 0.0, [], None
    for work, row, ratio in bars:
        if work["work"] != previous:
            place += 1
            title = _TASKS[work["task"]]
            precision = "" if work["task"] == "data" else f", {work['precision']}"
            axes.annotate(
                f"{title}{precision}", (0, place), xycoords=("axes fraction", "data"),
                xytext=(-6, 0), textcoords="offset points", ha="right", va="center",
                weight="bold", color=INK,
            )  # fmt: skip
            place += 1
            previous = work["work"]
        look = style.look(row.contender["precision"])
        low, high = bounds(ratio)
        fill = "none" if ratio.word == "cannot tell" else "full"
        axes.plot([low, high], [place, place], color=look.colour, linewidth=3, alpha=0.4)
        axes.plot(ratio.ratio, place, look.marker, color=look.colour, fillstyle=fill)
        axes.annotate(
            short(ratio.ratio), (high, place), xytext=(6, 0),
            textcoords="offset points", va="center", size=8, color=MUTED,
        )  # fmt: skip
        ticks.append((place, label(work, row)))
        place += 1
    axes.axvline(1, color=REFERENCE, linewidth=1, zorder=0)
    axes.set_yticks([at for at, _ in ticks], [text for _, text in ticks])
    axes.set_ylim(place, 0.2)
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    least = min(1.0, *(bounds(ratio)[0] for _, _, ratio in bars))
    most = max(2.0, *(bounds(ratio)[1] for _, _, ratio in bars))
    axes.set_xlim(least / 1.15, most * 1.35)
    numbers = [
        n for n in (0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 20, 50) if least / 1.15 <= n <= most * 1.35
    ]
    axes.set_xticks(numbers, [f"{n:g}" for n in numbers])
    axes.minorticks_off()
    axes.set_xlabel("our rate over its rate (ours at real lengths; 1: as fast)")
    return figure


def bounds(ratio: Verdict) -> tuple[float, float]:
    """The interval; the ratio itself where too few rounds bound it."""
    return (ratio.low, ratio.high) if math.isfinite(ratio.high) else (ratio.ratio, ratio.ratio)


def label(work: Mapping[str, Any], row: Row) -> str:
    contender = row.contender
    parts = [contender["title"]]
    if contender["precision"] != work["precision"]:
        parts.append(contender["precision"])
    if work["task"] in ("inference", "training"):
        parts.append(_FORMS[contender["form"]])
    return ", ".join(parts)
