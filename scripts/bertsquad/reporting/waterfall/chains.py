"""The chains of an experiment: each measurement with what its engine's answers and servers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsquad.benchmark.waterfall import Chain, chain


@dataclass(frozen=True, slots=True)
class Shown:
    """A measurement and its chain; None with the reason where there is none."""

    run: str
    engine: str
    precision: str
    measured: Mapping[str, Any]
    chain: Chain | None
    why: str

    @property
    def name(self) -> str:
        return f"{self.run} {self.engine} {self.precision}"


def gate_of(comparison: Mapping[str, Any] | None) -> str:
    """What the F1 gate says of a comparison.json; "" where there is none."""
    if comparison is None:
        return ""
    return {True: "passed", False: "failed", None: "cannot tell"}[comparison.get("passed")]


def best_served(cells: Sequence[Mapping[str, Any]]) -> dict[str, float] | None:
    """The highest rate that a search under load confirmed within its SLO, of undisturbed cells of
    one engine and precision: `arrival_rate` in requests/s, `slo_ms`."""
    found = [
        {"arrival_rate": cell["search"]["rate_confident"], "slo_ms": cell["slo"]["ms"]}
        for cell in cells
        if cell.get("search", {}).get("status") == "confirmed"
        and cell.get("validity", {}).get("verdict") == "valid"
    ]
    return max(found, key=lambda one: one["arrival_rate"], default=None)


def shown(
    measured: Mapping[str, Any],
    comparison: Mapping[str, Any] | None,
    cells: Sequence[Mapping[str, Any]],
) -> Shown:
    """The chain of a file of measure_waterfall.py."""
    run, engine, precision = (str(measured[key]) for key in ("run", "engine", "precision"))
    if "refused" in measured:
        return Shown(run, engine, precision, measured, None, measured["refused"])
    try:
        made = chain(measured, best_served(cells), gate_of(comparison))
    except ValueError as error:
        return Shown(run, engine, precision, measured, None, str(error))
    return Shown(run, engine, precision, measured, made, "")
