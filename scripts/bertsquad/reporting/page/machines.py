"""Several kinds of machines side by side, and what the page says of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsquad.benchmark.modes import ENGINE_ALONE
from bertsquad.machine.reading import value
from bertsquad.reporting.formats import score, short, tiny, whole
from bertsquad.reporting.page.findings import fastest, quickest
from bertsquad.reporting.page.machine import Group, machine_facts, machine_name, machine_page
from bertsquad.reporting.page.sections import Table, signed, table
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.comparisons import Change
from bertsquad.reporting.summary.standing import standing
from bertsquad.reporting.summary.summary import Summary, records

Machine = dict[str, Any]
_COLUMNS = {
    "machine": ("machine", "", None),
    "processor": ("processor", "", None),
    "cores": ("processors", "to use", whole),
    "hosts": ("measured on", "", None),
    "cells": ("cells", "", whole),
    "counted": ("of them", "count", whole),
    "rate": ("fastest", "features/s", short),
    "rate_of": ("by", "", None),
    "p50": ("quickest batch", "p50, ms", short),
    "p50_of": ("by", "", None),
}
_SCORED_COLUMNS = {
    "machine": ("machine", "", None),
    "run": ("run", "", None),
    "engine": ("engine", "", None),
    "precision": ("precision", "", None),
    "machine_f1": ("F1", "% on this kind", score),
    "f1": ("F1", "% computed once", score),
    "difference": ("difference", "points", signed),
    "changed_answers": ("answers", "that differ", whole),
    "questions": ("questions", "", whole),
    "max_logit_difference": ("logits", "by up to", tiny),
}


@dataclass(frozen=True, slots=True)
class Described:
    """A machine as the page describes it; `name` is "" where there is one kind."""

    name: str
    page: list[Group]
    facts: list[tuple[str, str, bool]]
    versions: list[tuple[str, Any]]


def described(machines: Mapping[str, Machine]) -> list[Described]:
    """machine.json of each kind, by its name."""
    return [
        Described(
            name,
            machine_page(machine),
            machine_facts(machine),
            sorted((machine.get("versions") or {}).items()),
        )
        for name, machine in machines.items()
    ]


def names(machines: Mapping[str, Machine]) -> str:
    """`half (Example 9000, 1 processor) and whole (Example 9000, 2 processors)`, as many as each
    may use; of one kind its name."""
    if len(machines) == 1:
        return machine_name(next(iter(machines.values())))
    said = [f"{name} ({_in_short(machine)})" for name, machine in machines.items()]
    return f"{', '.join(said[:-1])} and {said[-1]}"


def _in_short(machine: Machine) -> str:
    model = value(machine, "cpu", "model") or "an unknown processor"
    cores = _processors(machine)
    return model if cores is None else f"{model}, {cores} processor{'s' if cores != 1 else ''}"


def _processors(machine: Machine) -> int | None:
    """How many it may use, where that is known."""
    allowed = value(machine, "allowed_cpus")
    return len(allowed) if isinstance(allowed, list) else None


def warnings(machines: Mapping[str, Machine]) -> list[str]:
    """What each warns of, with its name in front where there are several."""
    return [
        f"{name}: {text}" if name else text
        for name, machine in machines.items()
        for text in machine.get("warnings") or []
    ]


def kinds_table(summary: Summary, machines: Mapping[str, Machine]) -> Table | None:
    """A row for each kind of machine; None where they have no names."""
    rows = [_row(name, summary.of_machine(name), each) for name, each in machines.items() if name]
    return table(rows, _COLUMNS) if rows else None


def answers_table(summary: Summary, changes: Sequence[Change]) -> Table | None:
    """A row for each run, engine and precision that a kind of machine scored, too, beside what was
    computed once; None where none was asked to. `changes`: how many of its answers differ."""
    of_kind = {(c.machine, c.run, c.engine, c.precision): c.numbers for c in changes if c.machine}
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in records(summary.ours):
        key = (row["machine"], row["run"], row["engine"], row["precision"])
        if row["machine_f1"] is None or key in rows:
            continue
        first = row["f1"]
        rows[key] = row | {
            "difference": None if first is None else row["machine_f1"] - first,
            **{
                name: of_kind.get(key, {}).get(name)
                for name in ("changed_answers", "max_logit_difference")
            },
        }
    return table(list(rows.values()), _SCORED_COLUMNS, ("questions",)) if rows else None


def _row(name: str, summary: Summary, machine: Machine) -> dict[str, Any]:
    cells = [row for row in records(summary.cells) if row["machine"] == name]
    first, soonest = fastest(summary, ENGINE_ALONE), quickest(summary)
    return {
        "machine": name,
        "processor": value(machine, "cpu", "model") or "unknown",
        "cores": _processors(machine),
        "hosts": _hosts(cells),
        "cells": len(cells),
        "counted": sum(standing(row) == "" for row in cells),
        "rate": first and first["features_per_second"],
        "rate_of": _of(first),
        "p50": soonest and soonest["latency_p50_ms"],
        "p50_of": _of(soonest),
    }


def _hosts(cells: Sequence[Row]) -> str:
    """`n1, n2`: the batch system's names, or the hosts' own."""
    return ", ".join(sorted({row["node"] or row["host"] for row in cells} - {""}))


def _of(row: Row | None) -> str:
    return "" if row is None else f"{row['engine']} {row['precision']}"
