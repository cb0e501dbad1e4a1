"""Which of two runs is faster, cell by cell, by their repeats.

The unit of replication is a repeat, that is a process: batches of one process share all that makes
one process faster than the next. With three repeats or more on either side the ratio of the medians
gets a 95 % interval by a bootstrap over repeats (10,000 draws). Of fewer than five repeats the
bootstrap knows too little of the spread, so there the interval is widened from a normal
distribution's quantile to that of Student's t (Hesterberg 2015, 4.2).

A cell is `faster` or `slower` where all three hold: the interval leaves out equality, the ratio is
beyond the band, and Welch's test of the logarithms (1947) still tells the two apart after Holm's
correction (1979) over all cells. It is `within band` where the whole interval is. Of equal sides
that spread by 1.9 % (sd of a repeat) fewer than 1 % of pairs are told apart with five repeats, and
a difference of 5 % is found in 84 %; were the whole interval to be beyond a band of 3 %, in 22 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from bertsquad.certificate.compare.answer import CANNOT_TELL
from bertsquad.certificate.compare.sides import Side
from bertsquad.machine.activity import BUSY_CPUS

FASTER, SLOWER, WITHIN = "faster", "slower", "within band"
BAND = 0.03
FEWEST_REPEATS = 3
LEVEL = 0.95
_DRAWS = 10_000
_FEW = 5  # repeats; of fewer, a bootstrapped interval is too narrow
_AT_ONCE = 100  # pairs whose draws are held at the same time
# What is judged, the list of a cell that holds it, and whether more is better.
_METRICS = (("throughput", "features_per_second", True), ("latency", "samples_ms", False))

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class Ratios:
    """Speed of B over that of A, of P pairs."""

    value: Array  # [P], of the medians
    low: Array  # [P], of the interval at LEVEL
    high: Array  # [P]
    p: Array  # [P], Welch's test of the logarithms


def ratios(a: Array, b: Array) -> Ratios:
    """Of speeds [P, repeats], all above 0."""
    from scipy.special import ndtri, stdtrit

    first, second = np.log(a), np.log(b)
    middle = np.median(second, axis=1) - np.median(first, axis=1)
    tail = (1 - LEVEL) / 2
    ends = np.empty((2, len(middle)))
    for start in range(0, len(middle), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        draws = _drawn_medians(second[part], 1) - _drawn_medians(first[part], 0)
        ends[:, part] = np.quantile(draws, [tail, 1 - tail], axis=1)
    if min(a.shape[1], b.shape[1]) < _FEW:
        freedom = a.shape[1] + b.shape[1] - 2
        widening = float(stdtrit(freedom, 1 - tail)) / float(ndtri(1 - tail))
        ends = middle + widening * (ends - middle)
    return Ratios(np.exp(middle), np.exp(ends[0]), np.exp(ends[1]), _welch(first, second))


def _drawn_medians(logs: Array, seed: int) -> Array:
    """The medians of resamples of the repeats, [P, draws]."""
    ordered = np.sort(logs, axis=1)
    lower, upper = _middle_ranks(logs.shape[1], seed)
    medians: Array = (ordered[:, lower] + ordered[:, upper]) / 2
    return medians


@cache
def _middle_ranks(repeats: int, seed: int) -> tuple[Array, Array]:
    """For each resample the ranks of its two middle repeats: its median is found by these."""
    drawn = np.random.default_rng(seed).integers(repeats, size=(_DRAWS, repeats))
    ordered = np.sort(drawn, axis=1)
    return ordered[:, (repeats - 1) // 2], ordered[:, repeats // 2]


def _welch(first: Array, second: Array) -> Array:
    """Two-sided p of Welch's t-test, [P]. Sides without any spread differ for sure, or not."""
    from scipy.special import stdtr

    sizes = first.shape[1], second.shape[1]
    spreads = [
        each.var(axis=1, ddof=1) / size for each, size in zip((first, second), sizes, strict=True)
    ]
    error = spreads[0] + spreads[1]
    apart = np.abs(second.mean(axis=1) - first.mean(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = error**2 / sum(
            spread**2 / (size - 1) for spread, size in zip(spreads, sizes, strict=True)
        )
        p = 2 * stdtr(freedom, -apart / np.sqrt(error))
    return np.where(error > 0, p, np.where(apart > 0, 0.0, 1.0))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p of a family of tests (Holm 1979)."""
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(values[order] * factors))
    return [float(each) for each in adjusted]


def word(value: float, low: float, high: float, p: float, band: float) -> str:
    """The verdict on a ratio, its interval and its adjusted p."""
    if low >= 1 / (1 + band) and high <= 1 + band:
        return WITHIN
    if low > 1 and value > 1 + band and p <= 1 - LEVEL:
        return FASTER
    if high < 1 and value < 1 / (1 + band) and p <= 1 - LEVEL:
        return SLOWER
    return CANNOT_TELL


def compare_cells(a: Side, b: Side, band: float = BAND) -> list[dict[str, Any]]:
    """A row a cell and metric that both runs measured: `verdict` on B, `reason` where it cannot be
    told, both runs' repeats (features per second, or ms), and the `ratio` of speeds, B over A."""
    first, second = (side.facts["speeds"] or {} for side in (a, b))
    rows = []
    for cell in sorted(set(first) & set(second)):
        why = _why_not(a, b, first[cell], second[cell])
        rows += _rows(cell, first[cell], second[cell], why)
    judged = [row for row in rows if not row["reason"]]
    for row, p in zip(judged, holm([row["p"] for row in judged]), strict=True):
        ratio = row["ratio"]
        row["p_holm"] = p
        row["verdict"] = word(ratio["value"], ratio["low"], ratio["high"], p, band)
        if row["verdict"] == CANNOT_TELL:
            row["reason"] = _too_wide(ratio, band)
    return rows


def _too_wide(ratio: Mapping[str, float], band: float) -> str:
    return (
        f"the interval {ratio['low']:.3f} to {ratio['high']:.3f} is neither within the band of "
        f"{band:.3g} nor surely beyond it: measure more repeats"
    )


def _rows(
    cell: str, first: Mapping[str, Any], second: Mapping[str, Any], why: str
) -> list[dict[str, Any]]:
    found = []
    for metric, key, more_is_better in _METRICS:
        if metric == "latency" and not _has_latency(first, second):
            continue
        numbers = [_numbers(each[key]) for each in (first, second)]
        if not all(numbers) and not why:
            continue
        row: dict[str, Any] = {"cell": cell, "metric": metric, "verdict": CANNOT_TELL}
        row |= {"reason": why, "a": numbers[0], "b": numbers[1], "ratio": None}
        row |= {"p": None, "p_holm": None}
        if not why:
            speeds = [
                np.array([each if more_is_better else [1 / n for n in each]]) for each in numbers
            ]
            ratio = ratios(*speeds)
            row["ratio"] = {
                name: float(getattr(ratio, name)[0]) for name in ("value", "low", "high")
            }
            row["p"] = float(ratio.p[0])
        found.append(row)
    return found


def _has_latency(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether requests were timed. A pass over a whole set is no request, and has no p99."""
    return all(any(each["latency_p99_ms"] or []) for each in (first, second))


def _numbers(values: Sequence[float | None] | None) -> list[float]:
    """What was measured; none where a repeat lacks it."""
    found = [each for each in values or [] if each is not None and each > 0]
    return found if values and len(found) == len(values) else []


def _why_not(a: Side, b: Side, first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """Why a cell's repeats decide nothing, whatever they are; "" where they may."""
    reasons = []
    for side, cell in ((a, first), (b, second)):
        reasons += [f"{side.label} {reason}" for reason in _faults(cell)]
    for key, what in (("threads", "other threads"), ("cpu", "another processor")):
        values = [sorted(map(str, set(cell[key] or []))) for cell in (first, second)]
        if values[0] != values[1]:
            reasons.append(f"{what}: {', '.join(values[0])} / {', '.join(values[1])}")
    identities = [_identities(side, cell) for side, cell in ((a, first), (b, second))]
    if all(identities) and identities[0] != identities[1] and not reasons:
        reasons.append("another processor: its identity differs")
    few = [
        f"{side.label} {len(cell['repeats'] or cell['samples_ms'] or [])}"
        for side, cell in ((a, first), (b, second))
        if len(cell["repeats"] or cell["samples_ms"] or []) < FEWEST_REPEATS
    ]
    if few and not any("refused" in reason for reason in reasons):
        reasons.append(f"measure repeats: {FEWEST_REPEATS} or more (found {', '.join(few)})")
    return "; ".join(reasons)


def _faults(cell: Mapping[str, Any]) -> list[str]:
    """What makes one side's repeats no measurement of what was asked for."""
    if cell["refused"]:
        return [f"was refused: {cell['refused']}"]
    found = []
    if cell["native"] is False:
        found.append("is emulated")
    judged = [verdict for verdict in cell["validity"] or [] if verdict not in ("valid", "")]
    busy = [cpus for cpus in cell["other_cpus"] or [] if (cpus or 0) > BUSY_CPUS]
    if judged or busy:
        codes = sorted({code for codes in cell["codes"] or [] for code in codes})
        told = f" ({', '.join(codes)})" if codes else ""
        told = told or (f" (others kept {max(busy):.1f} CPUs busy)" if busy else "")
        found.append(f"was disturbed{told}")
    return found


def _identities(side: Side, cell: Mapping[str, Any]) -> set[str]:
    """Identities of the processors of a cell's hosts; empty where they are not known."""
    hosts = set(cell["host"] or [])
    machines = (side.facts["machines"] or {}).values()
    return {
        machine["cpu_sha256"]
        for machine in machines
        if machine["cpu_sha256"] and hosts & set(machine["hosts"] or [])
    }
