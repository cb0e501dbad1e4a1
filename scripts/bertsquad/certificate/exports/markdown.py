"""Tables of Markdown to paste: scores, then speeds, marked where they are no results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bertsquad.benchmark.modes import MODES
from bertsquad.certificate.exports.facts import Facts
from bertsquad.certificate.exports.words import (
    between,
    cell_name,
    code_in_words,
    doubts_in_words,
    medians,
    refused,
    table,
    why_not_counted,
)
from bertsquad.machine.reading import value
from bertsquad.reporting.formats import short
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.summary import records


def export(facts: Facts) -> dict[str, str]:
    """`tables.md`."""
    parts = [f"# {facts.certificate['config'].get('title') or 'Results'}", *_tables(facts)]
    return {"tables.md": "\n\n".join(part.rstrip("\n") for part in parts) + "\n"}


def _tables(facts: Facts) -> Iterator[str]:
    certificate = facts.certificate
    yield (
        f"On {_processors(facts)}, by {code_in_words(certificate)}; the run's certificate has the "
        f"chain `{certificate['chain_sha256']}`."
    )
    yield "## Scores"
    yield _scores(facts)
    yield "## Speed"
    yield from _speeds(facts)
    if not_run := refused(facts.summary):
        yield "Not run:"
        yield "\n".join(f"- {line}" for line in not_run)
    yield "## Doubts"
    doubts = doubts_in_words(certificate)
    yield "\n".join(f"- {line}" for line in doubts) if doubts else "None."


def _processors(facts: Facts) -> str:
    """The processor, or that of each kind of machine."""
    parts = []
    for name, machine in facts.machines.items():
        cpu = value(dict(machine), "cpu", "model") or "an unknown processor"
        parts.append(f"{cpu} ({name})" if name else str(cpu))
    return " and ".join(parts) or "an unknown processor"


def _scores(facts: Facts) -> str:
    return table(
        ("run", "engine", "precision", "exact match", "F1", "interval", "beside FP32"),
        (
            (
                row["run"],
                row["engine"],
                row["precision"],
                None if row["exact_match"] is None else f"{row['exact_match']:.2f}",
                None if row["f1"] is None else f"{row['f1']:.2f}",
                between(row["f1_low"], row["f1_high"]),
                _beside(row),
            )
            for row in records(facts.summary.scored)
        ),
    )


def _beside(row: Row) -> str:
    if not row["reference"] or row["f1_share"] is None:
        return ""
    return f"{100 * row['f1_share']:.2f} %, {row['gate'] or 'not judged'}"


def _speeds(facts: Facts) -> Iterator[str]:
    rows = medians(facts.summary, MODES)
    if not rows:
        yield "Nothing was timed."
        return
    reasons = list(dict.fromkeys(filter(None, map(why_not_counted, rows))))
    yield table(
        ("run", "engine", "precision", "cell", "rate", "p50, ms", "p99, ms", "MiB", "repeats"),
        (_speed(row, reasons) for row in rows),
    )
    if reasons:
        yield "Struck out: no results."
        yield "\n".join(f"{number}. {why}" for number, why in enumerate(reasons, 1))


def _speed(row: Mapping[str, Any], reasons: list[str]) -> Iterator[str]:
    why = why_not_counted(row)
    mark = f" ({reasons.index(why) + 1})" if why else ""
    first = MODES[row["mode"]].rates[0]
    yield row["run"]
    yield row["engine"]
    yield row["precision"]
    yield cell_name(row) + mark
    unit = first.removesuffix("_per_second")
    for number, words in (
        (row[first], f" {unit}/s"),
        (row["latency_p50_ms"], ""),
        (row["latency_p99_ms"], ""),
        (row["peak_memory_mib"], ""),
    ):
        text = "" if number is None else f"{short(number)}{words}"
        yield f"~~{text}~~" if text and why else text
    yield str(int(row["repeats"]))
