"""Whether a measurement may be believed, from what disturbed it while it was timed.

`disturbed`: shown, but never a headline or the fastest. `invalid`: something else was timed.
No sample is left out and no number is corrected: either would hide what happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bertsquad.machine.activity import BUSY_CPUS

Level = Literal["disturbed", "invalid"]
VERDICTS = ("valid", "disturbed", "invalid")
_QUIET = "close what else runs on this machine and measure again"


@dataclass(frozen=True, slots=True)
class Check:
    """One way to be disturbed: more than `disturbed` of what `noise` holds by this name."""

    code: str
    noise: str  # a key of `Meter.noise`, or of a cell's `activity`
    unit: str
    disturbed: float | None  # the bound; None: whatever is found is invalid
    invalid: float | None
    do: str
    again: bool = True  # measured again, it may be gone


# 1 % is half of the smallest difference that a comparison is meant to see (2 %).
CHECKS = (
    Check("throttled", "throttled_s", "s", None, 0.0, "raise the quota of the container or job"),
    Check("swapped", "majflt", "page faults", None, 10, "free memory: the disk was in the clock"),
    Check("stolen", "stolen_share", "of our time", 0.01, 0.05, "take a machine of its own"),
    Check("waited", "waited_share", "of our time", 0.01, 0.05, _QUIET),
    Check("busy", "other_cpus", "CPUs", BUSY_CPUS, None, _QUIET),
    Check("late", "late_share", "of the median latency", None, 0.02, _QUIET, False),
    Check("queue_model_refuted", "twin_kappa", "of p99", 0.0, None, "see the cell's twin", False),
)
CODES = {check.code: check for check in CHECKS}


def validity(noise: Mapping[str, Any]) -> dict[str, Any]:
    """`verdict` (valid, disturbed or invalid) and its `reasons`, each with `code`, `level`,
    `found`, `unit`, `bound` and what to `do`. What the system does not tell speaks
    against nothing."""
    reasons = []
    for check in CHECKS:
        found = noise.get(check.noise)
        if not isinstance(found, (int, float)):
            continue
        bounds: tuple[tuple[Level, float | None], ...] = (
            ("invalid", check.invalid),
            ("disturbed", check.disturbed),
        )
        for level, bound in bounds:
            if bound is not None and found > bound:
                reason = {"code": check.code, "level": level, "found": found, "unit": check.unit}
                reasons.append(reason | {"bound": bound, "do": check.do})
                break
    levels = [VERDICTS.index(str(reason["level"])) for reason in reasons]
    return {"verdict": VERDICTS[max(levels, default=0)], "reasons": reasons}


def reasons_in_words(reasons: list[dict[str, Any]]) -> str:
    """Reasons in one line: `waited 0.12 of our time; busy 1.5 CPUs`."""
    return "; ".join(f"{r['code']} {r['found']:.2g} {r['unit']}" for r in reasons)
