"""Whether a measurement may be believed, from what disturbed it while it was timed.

`disturbed`: shown, but never a headline or the fastest. `invalid`: something else was timed. What
is `noted` makes no cell worse; it says what a cell cannot tell.
No sample is left out and no number is corrected: either would hide what happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from bertsquad.machine.activity import BUSY_CPUS

Level = Literal["noted", "disturbed", "invalid"]
VERDICTS = ("valid", "disturbed", "invalid")
_QUIET = "close what else runs on this machine and measure again"
_COOL = "fix the clock or let the machine cool, and measure again"


@dataclass(frozen=True, slots=True)
class Check:
    """One way to be disturbed: more than `disturbed` of what `noise` holds by this name."""

    code: str
    noise: str  # a key of what `validity` is given
    unit: str
    disturbed: float | None  # the bound; None: whatever is found is invalid
    invalid: float | None
    do: str
    again: bool = True  # measured again, it may be gone
    noted: float | None = None


_TAKE = partial(Check, again=False)

# 1 % is half of the smallest difference that a comparison is meant to see (2 %). Products that
# differ by 3 % are told; on virtual machines they do by 4 to 7 % with nobody else seen to compute,
# so that only more than 10 % makes a cell worse.
CHECKS = (
    Check("throttled", "throttled_s", "s", None, 0.0, "raise the quota of the container or job"),
    Check("swapped", "majflt", "page faults", None, 10, "free memory: the disk was in the clock"),
    Check("stolen", "stolen_share", "of our time", 0.01, 0.05, "take a machine of its own"),
    Check("waited", "waited_share", "of our time", 0.01, 0.05, _QUIET),
    Check("busy", "other_cpus", "CPUs", BUSY_CPUS, None, _QUIET),
    Check("clock", "clock_change", "between before and after", 0.1, None, _COOL, noted=0.03),
    Check("slow_clock", "below_reference", "below the best cell", 0.1, None, _COOL, noted=0.03),
    Check("drift", "drift_share", "from start to end", 0.02, None, "raise `warmup`, or " + _COOL),
    Check("no_steady_state", "unsteady", "series", 0, None, "raise `warmup` and `iterations`"),
    Check("late", "late_share", "of the median latency", None, 0.02, _QUIET),
    _TAKE("queue_model_refuted", "twin_kappa", "of p99 (log)", 0.0, None, "see the cell's `twin`"),
    _TAKE(
        "too_short",
        "missing_s",
        "s missing",
        0.0,
        None,
        "raise `iterations`, `passes` or `seconds`",
    ),
    _TAKE("emulated", "emulated", "precision", None, 0, "take a processor that has it"),
    _TAKE("failed_f1", "lost_f1", "of FP32's F1 lost", None, 0.0, "do not use this precision"),
    _TAKE(
        "too_few", "too_few", "percentiles", None, None, "raise `iterations` or `requests`", noted=0
    ),
    # Four fifths of a layout's capacity are more than it has while it is slower by a quarter.
    _TAKE(
        *("slow_phase", "slow_phase", "times as slow for a while", None, None),
        "take a machine that nobody shares; high percentiles hold such phases",
        noted=1.25,
    ),
)
# What no cell tells by itself: only machine.json beside it does (reporting/summary/judging.py).
OTHER_MACHINE = _TAKE(
    *("other_machine", "other_machine", "machine", 0.0, None),
    "probe its machine by `snakemake --forcerun probe_machine` and measure it there; `machines` in "
    "the configuration tells kinds of machines apart",
)
CODES = {check.code: check for check in (*CHECKS, OTHER_MACHINE)}


def validity(noise: Mapping[str, Any]) -> dict[str, Any]:
    """`verdict` (valid, disturbed or invalid) and its `reasons`, each with `code`, `level`,
    `found`, `unit`, `bound` and what to `do`. What the system does not tell speaks
    against nothing."""
    reasons = []
    for check in CODES.values():
        found = noise.get(check.noise)
        if not isinstance(found, int | float):
            continue
        bounds: tuple[tuple[Level, float | None], ...] = (
            ("invalid", check.invalid),
            ("disturbed", check.disturbed),
            ("noted", check.noted),
        )
        for level, bound in bounds:
            if bound is not None and found > bound:
                reason = {"code": check.code, "level": level, "found": found, "unit": check.unit}
                reasons.append(reason | {"bound": bound, "do": check.do})
                break
    return {"verdict": worst(reasons), "reasons": reasons}


def evidence(measured: Mapping[str, Any], *, native: bool, min_seconds: float) -> dict[str, Any]:
    """What `validity` is given of a cell, by the checks' names: its `noise`, `activity` and
    `calibration`, its series and its percentiles."""
    noise = dict(measured.get("noise", {}))
    found = noise | {"other_cpus": measured.get("activity", {}).get("other_cpus")}
    calibration = measured.get("calibration", {})
    if "before_gflops" in calibration and "after_gflops" in calibration:
        ratio = calibration["after_gflops"] / calibration["before_gflops"]
        found["clock_change"] = abs(ratio - 1)
    if isinstance(noise.get("seconds"), int | float):
        found["missing_s"] = max(0.0, min_seconds - noise["seconds"])
    steady = measured.get("steady", {})
    if "class" in steady:
        drift = steady["drift"]
        beyond_chance = drift["low"] > 0 or drift["high"] < 0
        found["drift_share"] = abs(drift["share"]) if beyond_chance else 0.0
        found["unsteady"] = int(steady["class"] in ("no steady state", "slowdown"))
    phases = (steady.get("slowest_phase"), noise.get("slowest_phase"))
    found["slow_phase"] = max((p for p in phases if isinstance(p, int | float)), default=None)
    latency = measured.get("latency_ms", {})
    found["too_few"] = sum(isinstance(p, dict) and "needs" in p for p in latency.values())
    return found | {"emulated": int(not native)}


def worst(reasons: Iterable[Mapping[str, Any]]) -> str:
    """The verdict that reasons amount to."""
    levels = [VERDICTS.index(r["level"]) for r in reasons if r["level"] in VERDICTS]
    return VERDICTS[max(levels, default=0)]


def makes_worse(reason: str) -> bool:
    """Whether a reason, as `reasons_in_words` writes it, made its cell disturbed or invalid. It is
    rounded there, so that the bound itself counts; what cannot be read counts, too."""
    code, _, rest = reason.partition(" ")
    try:
        found, check = float(rest.split()[0]), CODES[code]
    except (IndexError, KeyError, ValueError):
        return True
    bounds = (check.disturbed, check.invalid)
    return any(bound is not None and found >= bound for bound in bounds)


def reasons_in_words(reasons: list[dict[str, Any]]) -> str:
    """Reasons in one line: `waited 0.12 of our time; busy 1.5 CPUs`. Of one that has words of its
    own, as `said`, those."""
    return "; ".join(
        f"{r['code']} {r['said'] if 'said' in r else '{found:.2g} {unit}'.format(**r)}"
        for r in reasons
    )


def separate(text: str) -> list[str]:
    """What `reasons_in_words` has joined. The words on another machine hold a semicolon."""
    found: list[str] = []
    for part in filter(None, text.split("; ")):
        if found and found[-1].startswith("other_machine ") and part.startswith("machine.json "):
            found[-1] += f"; {part}"
        else:
            found.append(part)
    return found
