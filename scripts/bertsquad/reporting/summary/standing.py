"""Which measurements count as results: not those of a precision that failed or is emulated, and
not those that others disturbed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.summary import Summary, records

FAILED: Literal["failed"] = "failed"
EMULATED: Literal["emulated"] = "emulated"
DISTURBED: Literal["disturbed"] = "disturbed"
REFUSED: Literal["refused"] = "refused"
NOT_VALID = ("disturbed", "invalid")  # verdicts of benchmark/validity.py


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An engine and precision that no answer of the report counts, and why."""

    engine: str
    precision: str
    kind: Literal["failed", "emulated", "refused"]
    reason: str


def standing(row: Mapping[str, Any]) -> Literal["", "failed", "emulated", "disturbed"]:
    """FAILED, EMULATED, DISTURBED or "" for a row of the summary. A precision that failed does so
    on any processor, so that comes first; emulation does not depend on other programs."""
    if is_false(row["passed"]):
        return FAILED
    if is_false(row["native"]):
        return EMULATED
    return DISTURBED if row.get("validity") in NOT_VALID else ""


def is_false(value: Any) -> bool:
    """Whether a value is known, and false."""
    return not pd.isna(value) and not value


def left_out(summary: Summary) -> list[LeftOut]:
    """Every engine and precision that was measured but does not count, and those not run at all."""
    failed = grouped([row for row in records(summary.scored) if is_false(row["passed"])])
    several = summary.scored["run"].nunique() > 1
    found = [LeftOut(*model, FAILED, _failure(rows, several)) for model, rows in failed.items()]
    emulated = grouped([row for row in records(summary.cells) if is_false(row["native"])])
    for (engine, precision), rows in emulated.items():
        for machine in dict.fromkeys(row["machine"] for row in rows):
            processor = f"the processor of machine {machine}" if machine else "this processor"
            reason = f"{processor} has no instructions for {precision}"
            found.append(LeftOut(engine, precision, EMULATED, reason))
    for (engine, precision), rows in grouped(records(summary.refused)).items():
        reasons = dict.fromkeys(row["refused"] for row in rows)
        found += [LeftOut(engine, precision, REFUSED, reason) for reason in reasons]
    return found


def percent(share: float, digits: int | None = 2) -> str:
    """A share in percent, with a no-break space: 0.9724 as `97.24 %`; without `digits` as it was
    written: `99 %`."""
    number = f"{100 * share:.10g}" if digits is None else f"{100 * share:.{digits}f}"
    return f"{number}\u00a0%"


def grouped(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """By engine and precision, in the order of the rows."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["engine"], row["precision"]), []).append(row)
    return groups


def _failure(rows: list[Row], several_runs: bool) -> str:
    """How much of FP32's F1 an engine and precision keeps, in every run that it failed in."""
    shares = [
        percent(row["f1_share"] or 0) + (f" in run {row['run']}" if several_runs else "")
        for row in rows
    ]
    limit = percent(max(row["minimum_f1_share"] or 0 for row in rows), digits=None)
    return f"keeps less than {limit} of FP32’s F1: {', '.join(shares)}"
