"""Comparisons in words and as a table: who is faster, by how much, and how sure that is."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.own_json import as_written, read_own_json

_SIDE_KEYS = ("run", "engine", "precision", "scenario", "batch_size", "threads")
HEADS = ("comparison", "a", "b", "a is", "a / b", "interval", "rounds", "noise", "remark")
COLUMNS = (
    *("name", "verdict", "metric", "ratio", "low", "high", "level", "rounds_used"),
    *("rounds_disturbed", "would_need", "sd", "same_within", "turn_seconds"),
    *(f"{side}_{key}" for side in "ab" for key in _SIDE_KEYS),
    *("why", "cpu", "started_at"),
)


def read(path: Path) -> dict[str, Any]:
    """A comparison as compare_speed.py writes it. UserError where it is something else."""
    found = read_own_json(path)
    keys = {"name", "a", "b", "verdict", "why", "ratio", "rounds_used", "rounds_disturbed", "sd"}
    if not isinstance(found, dict) or not keys <= found.keys():
        raise UserError(f"{path}: not a comparison as this version writes it; delete it, run again")
    with as_written(path):  # all that is said of it can be said
        table([found]), as_csv([found])
    return found


def name_of_side(side: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Engine and precision, and whatever else differs from the other side."""
    words = [str(side.get(key) or "") for key in ("engine", "precision")]
    for key in ("run", "scenario", "batch_size", "threads"):
        if side.get(key) != other.get(key):
            words.append(
                {"batch_size": "batch ", "threads": "threads "}.get(key, "") + f"{side[key]}"
            )
    if side.get("slow_down"):
        words.append(f"slowed by {side['slow_down']:.0%}")
    return " ".join(filter(None, words))


def read_noise(paths: Sequence[Path]) -> dict[str, Any] | None:
    """The noise floor as noise.py writes it, where there is a file. UserError for another file."""
    if not paths:
        return None
    found = read_own_json(paths[0])
    if not isinstance(found, dict) or not {"sd", "sees", "verdict", "why"} <= found.keys():
        raise UserError(f"{paths[0]}: not what noise.py writes; delete it and run again")
    with as_written(paths[0]):
        noise_line(found)
    return found


def names(found: Mapping[str, Any]) -> tuple[str, str]:
    """Both sides."""
    a, b = found["a"], found["b"]
    return name_of_side(a, b), name_of_side(b, a)


def interval(found: Mapping[str, Any]) -> str:
    """`1.03 to 1.07`; empty where the rounds bound nothing."""
    ratio = found["ratio"]
    if not ratio or ratio["low"] is None or ratio["high"] is None:
        return ""
    return f"{ratio['low']:.3f} to {ratio['high']:.3f}"


def remark(found: Mapping[str, Any]) -> str:
    """Why there is no verdict, or what one would take."""
    if found["verdict"] is None:
        return f"no verdict: {found['why']}"
    if found.get("would_need"):
        return f"would need about {found['would_need']} rounds"
    return ""


def sentence(found: Mapping[str, Any]) -> str:
    """The comparison in one line."""
    a, b = names(found)
    if found["verdict"] is None:
        return f"{found['name']}: {a} or {b}: {remark(found)}"
    word = {
        "faster": f"{a} is faster than {b}",
        "slower": f"{a} is slower than {b}",
        "same": f"{a} and {b} are as fast, within {found['same_within']:.1%}",
        "cannot tell": f"cannot tell whether {a} or {b} is faster",
    }[found["verdict"]]
    text = f"{found['name']}: {word}: {found['ratio']['value']:.3f} ({interval(found)})"
    return "; ".join([f"{text}, {found['rounds_used']} rounds", *filter(None, [remark(found)])])


def cells(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The row below HEADS."""
    return (
        found["name"],
        *names(found),
        found["verdict"] or "no verdict",
        f"{found['ratio']['value']:.3f}" if found["ratio"] else "",
        interval(found),
        f"{found['rounds_used']}"
        + (f" (+{found['rounds_disturbed']} disturbed)" if found["rounds_disturbed"] else ""),
        "" if found["sd"] is None else f"{found['sd']:.1%}",
        remark(found),
    )


def table(comparisons: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines for a terminal."""
    rows = [HEADS, *map(cells, comparisons)]
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)).rstrip()
        for row in rows
    ]


def row(found: Mapping[str, Any]) -> dict[str, Any]:
    """A line of comparisons.csv, by COLUMNS."""
    ratio = found["ratio"] or {}
    values = {key: found.get(key) for key in COLUMNS}
    values |= {"ratio": ratio.get("value")}
    values |= {key: ratio.get(key) for key in ("low", "high", "level")}
    values |= {f"{side}_{key}": found[side].get(key) for side in "ab" for key in _SIDE_KEYS}
    return values


def as_csv(comparisons: Sequence[Mapping[str, Any]]) -> str:
    """A line for each, below COLUMNS."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(row, comparisons))
    return text.getvalue()


def noise_line(noise: Mapping[str, Any] | None) -> str:
    """The noise floor in one line; what measures it where it is not known."""
    if not noise:
        return "noise floor of this machine: not measured; `snakemake noise` does, in five minutes"
    if noise["sees"] is None:
        return f"noise floor of this machine: not known: {noise['why']}"
    seen = ", ".join(f"{100 * share:.1f} % in {look}" for look, share in noise["sees"].items())
    return (
        f"noise floor of this machine: ratios of equal sides spread by {noise['sd']:.1%} (sd of a "
        f"round); differences are found from {seen} rounds"
    )
