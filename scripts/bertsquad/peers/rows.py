"""From samples to rows of a table: rates, how they spread, ratios round by round."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsquad.benchmark.verdicts import Verdict, verdict
from bertsquad.peers.contenders import CEILING, REAL

_VALID = {"verdict": "valid"}  # of samples that older versions took


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, and the least and greatest of the rounds."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: list[float]) -> Spread | None:
        return cls(statistics.median(values), min(values), max(values)) if values else None


@dataclass(frozen=True, slots=True)
class Row:
    """A contender in the table of its work."""

    contender: dict[str, Any]  # its entry in the JSON
    rate: Spread | None  # features per second; None where it was left out
    share: float | None  # of the ceiling, of what it computed, padding included
    same_form: Verdict | None  # our rate over its rate, round by round, in its own form
    real_lengths: Verdict | None  # our rate at real lengths over its rate
    ours: bool  # the contender that the others are compared with, in its form
    disturbed: int = (
        0  # rounds that count for no ratio, since something else disturbed its turn or ours
    )


def rows(work: Mapping[str, Any]) -> list[Row]:
    """The rows of a work's JSON, in the order of its contenders, the ceiling left out.

    "Our rate" is that of our fastest contender of that form, by its median.
    """
    contenders = work["contenders"]
    rates = {name: _rates_by_round(work, name) for name in contenders}
    best = {
        form: _fastest(contenders, rates, form)
        for form in dict.fromkeys(contender["form"] for contender in contenders.values())
    }
    top = ceiling(work)
    counted = _undisturbed(work, rates)
    made = []
    for name, contender in contenders.items():
        if contender["form"] == CEILING:
            continue
        rate = Spread.of(list(rates[name].values()))
        made.append(
            Row(
                contender=contender,
                rate=rate,
                share=share(contender, rate, top)
                if contender["precision"] == work["precision"]
                else None,
                same_form=_ratio(counted, best[contender["form"]], name),
                real_lengths=None
                if contender["form"] == REAL
                else _ratio(counted, best.get(REAL), name),
                ours=name == best[contender["form"]],
                disturbed=len(_disturbed(work, name) | _disturbed(work, best[contender["form"]])),
            )
        )
    return made


def _rates_by_round(work: Mapping[str, Any], name: str) -> dict[int, float]:
    """Features per second; nothing for a contender that was left out."""
    if "left_out" in work["contenders"][name]:
        return {}
    return {
        sample["round"]: sample["features"] / sample["seconds"]
        for sample in work["samples"]
        if sample["contender"] == name and "features" in sample
    }


def _disturbed(work: Mapping[str, Any], name: str | None) -> set[int]:
    """The rounds in which something else disturbed its turn (benchmark/validity.py)."""
    return {
        sample["round"]
        for sample in work["samples"]
        if sample["contender"] == name and sample.get("validity", _VALID)["verdict"] != "valid"
    }


def _undisturbed(
    work: Mapping[str, Any], rates: Mapping[str, dict[int, float]]
) -> dict[str, dict[int, float]]:
    """The rates that count for a ratio. They are left out whoever was faster in them, so the test
    of the others stays exact."""
    return {
        name: {
            number: rate for number, rate in found.items() if number not in _disturbed(work, name)
        }
        for name, found in rates.items()
    }


def _fastest(
    contenders: Mapping[str, Any], rates: Mapping[str, dict[int, float]], form: str
) -> str | None:
    own = [
        name
        for name, contender in contenders.items()
        if contender["ours"] and contender["form"] == form
    ]
    own = [name for name in own if rates[name]]
    return max(own, key=lambda name: statistics.median(rates[name].values()), default=None)


def _ratio(rates: Mapping[str, dict[int, float]], ours: str | None, name: str) -> Verdict | None:
    """Ours over its, of the rounds that both have."""
    if ours is None or ours == name:
        return None
    both = rates[ours].keys() & rates[name].keys()
    ratios = [rates[ours][number] / rates[name][number] for number in sorted(both)]
    return verdict(ratios) if ratios else None


def undecided(contenders: Mapping[str, Any], samples: list[dict[str, Any]]) -> set[str]:
    """Who needs more rounds: peers that our fastest of their form is not yet known to be faster,
    slower or as fast as, and our fastest ones. The ceiling goes on with them."""
    work = {"contenders": contenders, "samples": samples}
    rates = {name: _rates_by_round(work, name) for name in contenders}
    counted = _undisturbed(work, rates)
    found: set[str] = set()
    for name, contender in contenders.items():
        best = _fastest(contenders, rates, contender["form"])
        known = _ratio(counted, best, name)
        told = known is not None and known.word != "cannot tell"
        if best and rates[name] and not contender["ours"] and not told:
            found |= {name, best}
    return found | {name for name in contenders if found and contenders[name]["form"] == CEILING}


def ceiling(work: Mapping[str, Any]) -> float | None:
    """The most that any round reached, GFLOP/s: what disturbs the machine only lowers it."""
    return max((s["gflops"] for s in work["samples"] if "gflops" in s), default=None)


def share(contender: Mapping[str, Any], rate: Spread | None, top: float | None) -> float | None:
    if rate is None or top is None or "gflop_per_feature" not in contender:
        return None
    cost: float = contender["gflop_per_feature"]
    return rate.median * cost / top


def linearity(work: Mapping[str, Any]) -> dict[str, float]:
    """For each title, the time that layers 3 and 4 add over that of layers 1 and 2: 1 is linear,
    more is noise, since embeddings and head cannot cost less than nothing."""
    found = {}
    titles = dict.fromkeys(contender["title"] for contender in work["contenders"].values())
    for title in titles:
        seconds = {
            contender["layers"]: 1 / statistics.median(rates.values())
            for name, contender in work["contenders"].items()
            if contender["title"] == title and (rates := _rates_by_round(work, name))
        }
        if {2, 4} <= seconds.keys():
            found[title] = float((seconds[4] - seconds[2]) / seconds[2])
    return found


def disturbance(work: Mapping[str, Any]) -> Spread | None:
    """How many processors other programs kept busy during the samples."""
    others = [
        sample["activity"]["other_cpus"]
        for sample in work["samples"]
        if "other_cpus" in sample.get("activity", {})
    ]
    return Spread.of(others)
