"""What a demand costs, and what an SLO does: the steps of whole machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.planner.page import number
from bertsquad.reporting import style
from bertsquad.reporting.palette import INK, MUTED, PRECISION, REFERENCE

TITLE = "What the demand costs, and what the SLO costs"
_SURE, _POINT = PRECISION["bf16"], MUTED
_ROOM = 1.15  # above the highest step


def draw(plan: Mapping[str, Any]) -> Figure:
    """Left the least cost of each demand, at the confidence bound and at the measured values, with
    the plan as a dot; right cost, or where a rate is sought questions/s, against the SLO."""
    if plan["status"] != "optimal":
        return style.message("There is no plan: plan.txt says what would make one possible.")
    figure = style.new_figure(3.4)
    seeks_rate = plan["settings"]["objective"] == "rate"
    if seeks_rate:
        _draw_slo(figure.subplots(), plan, "rate")
        return figure
    steps, slo = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_steps(steps, plan)
    _draw_slo(slo, plan, "cost")
    return figure


def unit(plan: Mapping[str, Any]) -> str:
    """What the cost counts."""
    if plan["settings"]["objective"] == "machines":
        return "machines"
    return f"{plan['settings']['currency']} an hour"


def _draw_steps(axes: Axes, plan: Mapping[str, Any]) -> None:
    stairs = plan["staircase"]
    for steps, colour, width in ((stairs["point"], _POINT, 1.0), (stairs["sure"], _SURE, 2.0)):
        xs, ys = _outline(steps)
        axes.plot(xs, ys, color=colour, linewidth=width, linestyle="-")
    confidence = f"{plan['settings']['confidence']:.0%}"
    _label_end(axes, stairs["sure"], f"certain to {confidence}", _SURE, above=True)
    _label_end(axes, stairs["point"], "as measured", _POINT, above=False)
    cost = plan["cost"] if plan["cost"] is not None else _machines(plan)
    axes.plot(plan["rate"], cost, "o", color=INK)
    axes.annotate(
        f"the plan: {number(cost)}", (plan["rate"], cost), xytext=(-6, 6),
        textcoords="offset points", ha="right", color=INK, size=8.5,
    )  # fmt: skip
    axes.axvline(plan["rate"], color=REFERENCE, linewidth=1, zorder=0)
    every = [*stairs["point"], *stairs["sure"]]
    axes.set_ylim(0, _ROOM * max(step["cost"] for step in every))
    axes.set_xlim(0, max(2 * plan["rate"], *(steps[-1]["to"] for steps in stairs.values())) * 1.02)
    axes.set_xlabel("questions a second")
    axes.set_title(unit(plan))


def _machines(plan: Mapping[str, Any]) -> int:
    return sum(row["machines"] for row in plan["fleet"])


def _outline(steps: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[float]]:
    """The corners of a staircase from 0."""
    xs: list[float] = []
    ys: list[float] = []
    start = 0.0
    for step in steps:
        xs += [start, step["to"]]
        ys += [step["cost"], step["cost"]]
        start = step["to"]
    return xs, ys


def _label_end(
    axes: Axes, steps: Sequence[Mapping[str, Any]], text: str, colour: str, *, above: bool
) -> None:
    last = steps[-1]
    axes.annotate(
        text, (last["to"], last["cost"]), xytext=(0, 4 if above else -4),
        textcoords="offset points", ha="right", va="bottom" if above else "top",
        color=colour, size=8.5,
    )  # fmt: skip


def _draw_slo(axes: Axes, plan: Mapping[str, Any], what: str) -> None:
    points = [each for each in plan["slo_curve"] if each[what] is not None]
    axes.plot(
        [each["slo_ms"] for each in points], [each[what] for each in points], "o-", color=_SURE
    )
    none = [each["slo_ms"] for each in plan["slo_curve"] if each[what] is None]
    axes.plot(none, [0.0] * len(none), "x", color=MUTED)
    for place in none[-1:]:
        axes.annotate(
            "no plan", (place, 0), xytext=(0, 6), textcoords="offset points", ha="center",
            color=MUTED, size=8.5,
        )  # fmt: skip
    axes.axvline(plan["settings"]["slo_ms"], color=REFERENCE, linewidth=1, zorder=0)
    axes.set_xscale("log")
    ticks = [each["slo_ms"] for each in plan["slo_curve"]]
    axes.set_xticks(ticks, [number(float(f"{tick:.3g}")) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(0, _ROOM * max([each[what] for each in points] or [1]))
    axes.set_xlabel(f"SLO: p{plan['settings']['percentile']} within so many ms")
    axes.set_title("questions a second" if what == "rate" else f"{unit(plan)}, at this demand")
