"""A waterfall as a page for the terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bertsquad.benchmark.waterfall import Factor, Step
from bertsquad.reporting.formats import percent, short, whole
from bertsquad.reporting.waterfall.chains import Shown


def as_json(found: Sequence[Shown]) -> list[dict[str, Any]]:
    """Each chain with its names."""
    return [
        {
            "run": one.run,
            "engine": one.engine,
            "precision": one.precision,
            "why": one.why,
            "chain": None if one.chain is None else asdict(one.chain),
        }
        for one in found
    ]


def as_text(found: Sequence[Shown]) -> str:
    """A table for each chain, the greatest loss named after it."""
    return "\n".join("\n".join(_page(one)) + "\n" for one in found)


def change(factor: Factor) -> str:
    """A factor as a loss or a gain: "-55 % (-57 to -52)"."""
    text = f"{_signed(factor.value)} %"
    if factor.low is None or factor.high is None:
        return text
    return f"{text} ({_signed(factor.low)} to {_signed(factor.high)})"


def opening(one: Shown) -> str:
    """What was measured."""
    made = one.measured
    mean = made["tokens"] / made["features"]
    return (
        f"{one.name}, {made['threads']} threads: {whole(made['questions'])} questions, "
        f"{whole(made['features'])} features of {short(mean)} tokens on average"
    )


def greatest(one: Shown) -> Step | None:
    """The step that costs the most, among those that cost something."""
    assert one.chain is not None
    losses = [step for step in one.chain.steps if 0 < step.factor.value < 0.995]
    return min(losses, key=lambda step: step.factor.value, default=None)


def _page(one: Shown) -> list[str]:
    if one.chain is None:
        return [one.name, f"  no waterfall: {one.why}"]
    found = one.chain
    threads = one.measured["threads"]
    rows = [(f"peak of {threads} cores, each alone", "", f"{short(found.peak)} features/s", "")]
    rows += [
        (step.name, change(step.factor), f"{short(step.rate)} {step.unit}", step.advice)
        for step in found.steps
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [opening(one)]
    lines += [
        f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d}".rstrip()
        for a, b, c, d in rows
    ]
    last = found.steps[-1]
    lines.append(f"  delivered: {short(last.rate)} {last.unit}, {percent(found.share)} of the peak")
    worst = greatest(one)
    if worst is not None and worst.worth is not None:
        lines.append(
            f"  the greatest loss: {worst.name}; without it {short(worst.worth)} times as many"
        )
    return [*lines, f"  {found.ends}"] if found.ends else lines


def _signed(factor: float) -> str:
    value = 100 * (factor - 1)
    return "0" if abs(value) < 0.5 else f"{value:+.0f}".replace("-", "−")
