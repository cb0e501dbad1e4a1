"""docs/results/trust/: what verdicts were worth on a machine, as a page, a table and a figure."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bertsquad.benchmark.trust import FALSE_AT_MOST, RATIO_WITHIN, Outcome, is_near, outcomes
from bertsquad.reporting.verdicts import noise_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Z95 = 1.96  # standard errors on either side
TITLE = "Verdicts whose truth is known"
COLUMNS = (
    *("trial", "slow_down", "verdict", "ratio", "low", "high", "rounds_used"),
    *("rounds_disturbed", "sd", "would_need", "turn_seconds", "seed", "started_at"),
)
_TEXT = """\
# What a verdict is worth

{when}, {cpu}, {threads} threads. A small model of random weights (MiniLM's width,
4 layers, {engine} {precision}) was compared with itself by the loop that every comparison uses
([comparisons](../../comparisons.md)): both sides are started anew in every round. Trials share the
processes of a round by fives and take turns of their own. `make trust` makes this page anew;
[verdicts.csv](verdicts.csv) has every trial.

| b is slower by | trials | faster | slower | same | cannot tell | promised | held |
|---|---|---|---|---|---|---|---|
{rows}

a is compared with b, so where b waits for a known share of each request, *faster* is the right
verdict. Of equal sides *faster* and *slower* are the wrong ones.

{found}

{noise}.

![The ratio of each trial, with its interval](verdicts.svg)
"""


def page(found: Sequence[Mapping[str, Any]], noise: Mapping[str, Any] | None) -> str:
    """The page as Markdown."""
    first = found[0]
    dates = sorted({one["started_at"][:10] for one in found})
    return _TEXT.format(
        when=f"Measured {' to '.join(dict.fromkeys((dates[0], dates[-1])))}",
        cpu=first["cpu"],
        threads=first["facts"]["a"]["threads"],
        engine=first["engine"],
        precision=first["precision"],
        rows="\n".join(map(_row, outcomes(found))),
        found=_found(found),
        noise=_noise(noise),
    )


def _row(outcome: Outcome) -> str:
    words = [str(outcome.words.get(w, 0)) for w in ("faster", "slower", "same", "cannot tell")]
    if outcome.slow_down == 0:
        promised = f"at most {FALSE_AT_MOST} of 40 told apart"
    elif outcome.slow_down == 0.05:
        promised = "found, ratio 1.05 ± 0.01"
    else:
        promised = "found within 32 rounds"
    title = f"{outcome.slow_down:.0%}" if outcome.slow_down else "0 (equal)"
    held = {True: "yes", False: "no", None: "so far"}[outcome.held]
    count = f"{outcome.trials} of {outcome.planned}"
    return f"| {' | '.join([title, count, *words, promised, held])} |"


def _found(found: Sequence[Mapping[str, Any]]) -> str:
    """The ratios of what was slower, and how far equal sides spread."""
    lines = []
    for share in sorted({one["slow_down"] for one in found} - {0.0}):
        some = [one for one in found if one["slow_down"] == share]
        ratios = ", ".join(
            f"{one['ratio']['value']:.4f} ({one['ratio']['low']:.4f} to "
            f"{one['ratio']['high']:.4f}) after {one['rounds_used']} rounds"
            for one in some
        )
        lines.append(f"Slower by {share:.0%}, {_turns(some[0])}: {ratios}.")
    five = [one for one in found if one["slow_down"] == 0.05]
    if not all(map(is_near, five)):
        sd = max(one["sd"] for one in five)
        rounds = math.ceil((_Z95 * sd / RATIO_WITHIN) ** 2)
        made = min(one["rounds_used"] for one in five)
        off = "" if made < rounds else ": so many were made, and it is off all the same"
        lines.append(
            f"A ratio to within {RATIO_WITHIN:g} takes about {rounds} rounds where they spread by "
            f"{sd:.1%}, as they did then{off}."
        )
    equal = [one for one in found if one["slow_down"] == 0]
    if equal:
        sds = [one["sd"] for one in equal]
        lines.append(
            f"Ratios of equal sides, {_turns(equal[0])}, spread by {min(sds):.1%} to "
            f"{max(sds):.1%} (sd of a round)."
        )
    disturbed = sum(one["rounds_disturbed"] for one in found)
    rounds = sum(len(one["rounds"]) for one in found)
    lines.append(f"Of all {rounds:,} rounds {disturbed} were disturbed, and did not count.")
    return "\n".join(lines)


def _turns(one: Mapping[str, Any]) -> str:
    return f"{one['turn_seconds']:g} s of each side a round"


def _noise(noise: Mapping[str, Any] | None) -> str:
    text = noise_line(noise)
    turns = f", {_turns(noise)}" if noise else ""
    return text[:1].upper() + text[1:] + turns


def table(found: Sequence[Mapping[str, Any]]) -> str:
    """verdicts.csv."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for one in found:
        ratio = {key: f"{one['ratio'][end]:.5f}" for key, end in _ENDS.items()}
        writer.writerow({**one, **ratio, "trial": one["name"], "sd": f"{one['sd']:.5f}"})
    return text.getvalue()


_ENDS = {"ratio": "value", "low": "low", "high": "high"}


def draw(found: Sequence[Mapping[str, Any]]) -> Figure:
    """A line for the interval of each trial, a mark for its ratio; hollow where it cannot tell. The
    truth is a dotted line."""
    from bertsquad.reporting import style
    from bertsquad.reporting.palette import INK, MUTED, PAPER, REFERENCE, RUNS

    ordered = sorted(found, key=lambda one: (-one["slow_down"], one["name"]))
    figure = style.new_figure(0.13 * len(ordered) + 0.8)
    axes = figure.subplots()
    shares = sorted({one["slow_down"] for one in ordered}, reverse=True)
    colours = {share: (INK if share == 0 else RUNS[1 + n]) for n, share in enumerate(shares)}
    for place, one in enumerate(ordered):
        ratio, colour = one["ratio"], colours[one["slow_down"]]
        axes.plot([ratio["low"], ratio["high"]], [place] * 2, color=colour, linewidth=1.5)
        sure = one["verdict"] in ("faster", "slower")
        face = colour if sure else PAPER
        axes.plot(ratio["value"], place, "o", color=colour, markerfacecolor=face, markersize=4)
    middles = []
    for share in shares:
        places = [n for n, one in enumerate(ordered) if one["slow_down"] == share]
        ends = [places[0] - 0.5, places[-1] + 0.5]
        axes.plot([1 + share] * 2, ends, color=REFERENCE, linestyle=":", zorder=0)
        title = f"slower by {share:.0%}" if share else "equal"
        middles.append((sum(places) / len(places), f"{title}, {len(places)}"))
    axes.set_yticks([place for place, _ in middles], [text for _, text in middles])
    axes.set_ylim(len(ordered) - 0.3, -0.7)
    axes.grid(False, axis="y")
    axes.grid(True, axis="x")
    axes.set_xlabel("speed of a over that of b; filled: told apart, hollow: not", color=MUTED)
    return figure
