"""What only all cells together tell of one: whether the machine was slower than in the others, and
whether its answers may be used at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bertsquad.benchmark.validity import reasons_in_words, validity, worst
from bertsquad.machine.identity import other_machine

# Cells whose products compare: the same product by as many threads of the same processor.
_MACHINE = ("cpu", "calibration", "threads", "machine")

_PLACE = ("host", "node")


def judge(
    rows: Iterable[dict[str, Any]], machines: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Add to the validity of the cells among these rows, in place, and give each its throughput at
    the reference clock, that of the cell with the fastest product.

    `machines`: machine.json of each kind of machine, by its name; "" where there is one.
    """
    cells = [row for row in rows if "reasons" in row]
    best: dict[tuple[Any, ...], float] = {}
    for row in cells:
        if (own := _own(row)) is not None:
            key = _machine(row)
            best[key] = max(best.get(key, 0.0), own)
    for row in cells:
        found: dict[str, float] = {}
        own = _own(row)
        if own:
            reference = best[_machine(row)]
            found["below_reference"] = 1 - own / reference
            if row.get("features_per_second") is not None:
                rate = row["features_per_second"] * reference / own
                row["features_per_second_at_reference_clock"] = rate
        if row.get("passed") is False:
            found["lost_f1"] = 1 - (row.get("f1_share") or 0.0)
        reasons = [*row.pop("reasons"), *validity(found)["reasons"]]
        reasons += (elsewhere := _elsewhere(row, machines or {}))
        if (row.get("validity") or elsewhere) and not row.get("refused"):
            row["validity"] = worst(reasons)
            row["validity_reasons"] = reasons_in_words(reasons)


def _elsewhere(
    row: Mapping[str, Any], machines: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The reason that a cell was measured on another machine than its machine.json describes."""
    described = machines.get(row.get("machine", ""))
    if described is None or not (said := measured_elsewhere(row, described)):
        return []
    return [reason | {"said": said} for reason in validity({"other_machine": 1})["reasons"]]


def measured_elsewhere(row: Mapping[str, Any], machine: Mapping[str, Any]) -> str:
    """In words, that a cell was measured on another machine than a machine.json describes; ""."""
    place = {name: row.get(name) for name in _PLACE}
    return other_machine({"cpu_identity": row.get("identity", {}), **place}, machine)


def _own(row: Mapping[str, Any]) -> float | None:
    """The mean rate of a cell's product, GFLOP/s."""
    rates = [row.get(f"calibration_{when}_gflops") for when in ("before", "after")]
    known = [rate for rate in rates if isinstance(rate, int | float) and rate > 0]
    return sum(known) / len(known) if known else None


def _machine(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in _MACHINE)
