"""Which measurements count as results: not those of a precision that failed or is emulated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bertsquad.benchmark.modes import MODES
from bertsquad.reporting.summary.tables import (
    accuracy_rows,
    cell_rows,
    is_emulated,
    medians,
    refused_rows,
)

FAILED, EMULATED = "failed", "emulated"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An engine and precision that no answer of the report counts, and why."""

    engine: str
    precision: str
    kind: str  # FAILED, EMULATED or "refused"
    reason: str


def standing(row: Mapping[str, Any]) -> str:
    """FAILED, EMULATED or "" for a row of the summary. What failed did so on any processor, so
    that comes first."""
    if is_false(row["passed"]):
        return FAILED
    return EMULATED if is_false(row["native"]) else ""


def is_false(value: Any) -> bool:
    """Whether it is known to be false."""
    return not pd.isna(value) and not value


def results(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells that count as results."""
    return cells[cells["passed"].fillna(True) & cells["native"].fillna(True)]


def best_cells(summary: pd.DataFrame, *modes: str) -> pd.DataFrame:
    """The medians of the cells of these modes that count as results."""
    return results(medians(summary, modes))


def left_out(summary: pd.DataFrame) -> list[LeftOut]:
    """Every engine and precision that was measured but does not count, and those not run at all."""
    found = []
    scored = accuracy_rows(summary)
    failed = scored[~scored["passed"].fillna(True)]
    for (engine, precision), rows in failed.groupby(["engine", "precision"], sort=False):
        several = scored["run"].nunique() > 1
        shares = [
            percent(row.f1_share) + (f" in run {row.run}" if several else "")
            for row in rows.itertuples()
        ]
        limit = percent(rows["minimum_f1_share"].max(), digits=None)
        reason = f"keeps less than {limit} of FP32’s F1: {', '.join(shares)}"
        found.append(LeftOut(engine, precision, FAILED, reason))
    cells = cell_rows(summary, tuple(MODES))
    for (engine, precision), rows in cells.groupby(["engine", "precision"], sort=False):
        if is_emulated(rows["native"]):
            reason = f"this processor has no instructions for {precision}"
            found.append(LeftOut(engine, precision, EMULATED, reason))
    refused = refused_rows(summary)
    for (engine, precision, reason), _ in refused.groupby(
        ["engine", "precision", "refused"], sort=False
    ):
        found.append(LeftOut(engine, precision, "refused", reason))
    return found


def percent(share: float, digits: int | None = 1) -> str:
    """A share in percent, with a no-break space: 0.9724 as `97.2 %`; without `digits` as it was
    written: `99 %`."""
    number = f"{100 * share:.10g}" if digits is None else f"{100 * share:.{digits}f}"
    return f"{number}\u00a0%"
