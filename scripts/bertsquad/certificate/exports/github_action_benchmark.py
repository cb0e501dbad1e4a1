"""Series for github-action-benchmark's charts: a file of what should grow, one of what should not.

Each is an array of `name`, `unit`, `value`, and `range` and `extra` as texts: what its tools
`customBiggerIsBetter` and `customSmallerIsBetter` read (src/extract.ts there). An action raises
alarms by single values, so that only what counts as a result is in it; left_out.txt has the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bertsquad.benchmark.modes import MODES
from bertsquad.certificate.exports.facts import Facts
from bertsquad.certificate.exports.words import (
    between,
    cell_name,
    code_in_words,
    left_out,
    medians,
    model_name,
    refused,
    why_not_counted,
)
from bertsquad.reporting.summary.summary import records

_SMALLER = (("latency_p50_ms", "p50", "ms"), ("latency_p99_ms", "p99", "ms"))


def export(facts: Facts) -> dict[str, str]:
    """`bigger_is_better.json`, `smaller_is_better.json` and `left_out.txt`."""
    bigger, smaller, others = list(_scores(facts)), [], refused(facts.summary)
    for row in medians(facts.summary, MODES):
        if why := why_not_counted(row):
            others.append(f"{model_name(row)}: {cell_name(row)}: {why}")
            continue
        extra = _extra(facts, row)
        bigger += list(_rates(row, extra))
        smaller += list(_costs(row, extra))
    return {
        "bigger_is_better.json": _text(bigger),
        "smaller_is_better.json": _text(smaller),
        "left_out.txt": left_out(others, "github-action-benchmark's files"),
    }


def _scores(facts: Facts) -> Iterator[dict[str, Any]]:
    for row in records(facts.summary.scored):
        yield {
            "name": f"{model_name(row)}: F1",
            "unit": "%",
            "value": row["f1"],
            **_interval(row["f1_low"], row["f1_high"], row["confidence"]),
            "extra": f"{row['questions']} questions of {row['dataset']}; {_code(facts)}",
        }


def _interval(low: float | None, high: float | None, confidence: float | None) -> dict[str, str]:
    """`range`, where there is one."""
    if low is None or high is None or confidence is None:
        return {}
    return {"range": f"{between(low, high)} ({100 * confidence:.0f} %)"}


def _rates(row: Mapping[str, Any], extra: str) -> Iterator[dict[str, Any]]:
    for rate in MODES[row["mode"]].rates:
        if rate.endswith("_per_second") and row[rate] is not None:
            yield {
                "name": f"{model_name(row)}: {cell_name(row)}",
                "unit": f"{rate.removesuffix('_per_second')}/s",
                "value": row[rate],
                "extra": extra,
            }
            return


def _costs(row: Mapping[str, Any], extra: str) -> Iterator[dict[str, Any]]:
    for column, name, unit in _SMALLER:
        if row[column] is not None:
            low, high = (row[column.replace("_ms", f"_{end}_ms")] for end in ("low", "high"))
            yield {
                "name": f"{model_name(row)}: {cell_name(row)}: {name}",
                "unit": unit,
                "value": row[column],
                # Of several repeats the medians of the ends are no interval.
                **(_interval(low, high, 0.95) if row["repeats"] == 1 else {}),
                "extra": extra,
            }
    if row["peak_memory_mib"] is not None:
        yield {
            "name": f"{model_name(row)}: {cell_name(row)}: peak memory",
            "unit": "MiB",
            "value": row["peak_memory_mib"],
            "extra": extra,
        }


def _extra(facts: Facts, row: Mapping[str, Any]) -> str:
    repeats = int(row["repeats"])
    times = "1 repeat" if repeats == 1 else f"median of {repeats} repeats"
    return f"{times} on {row['cpu'] or 'an unknown processor'}; {_code(facts)}"


def _code(facts: Facts) -> str:
    return code_in_words(facts.certificate)


def _text(entries: list[dict[str, Any]]) -> str:
    return json.dumps(entries, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
