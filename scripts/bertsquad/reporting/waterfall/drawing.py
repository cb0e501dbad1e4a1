"""Waterfalls side by side: a bar for what is left after each step, from the peak down."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bertsquad.benchmark.waterfall import Chain
from bertsquad.reporting import style
from bertsquad.reporting.formats import percent, short
from bertsquad.reporting.palette import INK, MUTED, REFERENCE, RULE
from bertsquad.reporting.waterfall.chains import Shown
from bertsquad.reporting.waterfall.words import change

TITLE = "Where the time goes, from the processor's peak to answers"
_ROW = 0.27  # inches
_HEAD = 0.55


def draw(found: Sequence[Shown]) -> Figure:
    """One panel a chain, one below the other; shares of the peak from left to right."""
    chains = [one for one in found if one.chain is not None]
    if not chains:
        return style.message("; ".join(f"{one.name}: {one.why}" for one in found) or "Nothing.")
    heights = [_HEAD + _ROW * (len(_of(one).steps) + 1) for one in chains]
    figure = style.new_figure(sum(heights))
    panels = figure.subplots(len(chains), 1, squeeze=False, height_ratios=heights)
    for one, [axes] in zip(chains, panels, strict=True):
        _draw_chain(axes, one)
    return figure


def facts(found: Sequence[Shown]) -> dict[str, str] | None:
    """How the report shows the figure (gallery.facts_of); None where there is nothing to show."""
    if not any(one.chain for one in found):
        return None
    return {
        "section": "speed",
        "rank": "90",
        "alt": "What is left of the peak after each step; waterfall.txt has the numbers.",
        "headline": "Where the time goes.",
        "text": "Each bar is what is left of the processor's peak after a step on the way to "
        "answers; the pale part is what the step costs, in brackets of waterfall.txt its interval.",
    }


def _of(one: Shown) -> Chain:
    assert one.chain is not None
    return one.chain


def _draw_chain(axes: Axes, one: Shown) -> None:
    made, colour = _of(one), style.look(one.precision).colour
    axes.barh(0, 1, color=RULE)
    _label(axes, 0, 1, f"{short(made.peak)} features/s")
    share = 1.0
    for place, step in enumerate(made.steps, 1):
        before, share = share, share * step.factor.value
        axes.barh(place, share, color=colour)
        lost = "none" if share > before else colour  # a gain is outlined on top of the bar
        axes.barh(place, before - share, left=share, facecolor=lost, edgecolor=colour, alpha=0.25)
        axes.plot([before, before], [place - 1, place], color=REFERENCE, linewidth=0.8, zorder=0)
        _label(axes, place, max(before, share), f"{change(step.factor)}, {short(step.rate)}")
    names = [f"peak of {one.measured['threads']} cores", *(step.name for step in made.steps)]
    axes.set_yticks(range(len(names)), names, size=8, color=INK)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, 1.45)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], [percent(x) for x in (0, 0.25, 0.5, 0.75, 1)])
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    last = made.steps[-1]
    axes.set_title(f"{one.name}: {short(last.rate)} {last.unit}, {percent(made.share)} of the peak")


def _label(axes: Axes, place: int, end: float, text: str) -> None:
    axes.annotate(
        text, (end, place), xytext=(5, 0), textcoords="offset points", va="center",
        color=MUTED, size=8,
    )  # fmt: skip
