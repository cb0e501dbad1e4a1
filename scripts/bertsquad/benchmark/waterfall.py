"""Where the time goes between what the processor reaches and the answers that are delivered.

A chain of rates, each the one before times a factor that was measured in the same rounds, so that
the product of all factors is delivered over peak by construction. A factor below 1 is a loss; it
says what removing it would be worth.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsquad.benchmark.verdicts import verdict
from bertsquad.benchmark.waterfall_parts import (
    ALONE_ALL,
    ALONE_ONE,
    PRODUCT_ALL,
    PRODUCT_ONE,
    SIDES,
    SINGLE,
    TEXTS,
)

LEAST_ROUNDS = 3  # undisturbed ones; an interval takes 7


@dataclass(frozen=True, slots=True)
class What:
    """What is lost at a step, and what to do about it."""

    name: str
    unit: str  # of the rate after it
    advice: str


_FEATURES, _QUESTIONS = "features/s", "questions/s"
WHATS = (
    What("cores share clock and memory", _FEATURES, "nothing: it is the processor's"),
    What("padding", _FEATURES, "{padding}"),
    What("attention, glue, one thread", _FEATURES, "another engine: `snakemake comparisons`"),
    What("threads", _FEATURES, "another layout: try {n}x1x1 in a scenario of mode saturated"),
    What("requests one by one", _FEATURES, "where requests may wait, batch them: `max_tokens`"),
    What("tokenising and answers", _FEATURES, "a core more for what runs beside the engine"),
    What("windows of a question", _QUESTIONS, "a larger `doc_stride`, where F1 allows"),
)
GATE = What("the F1 gate fails", _QUESTIONS, "another precision: these answers are not good enough")
QUEUE = What("queueing, p99 within {slo} ms", _QUESTIONS, "a looser SLO, or more even arrivals")
NOT_SERVED = (
    "What queueing costs is not known: a scenario of mode server with `slo_ms` measures it."
)


@dataclass(frozen=True, slots=True)
class Factor:
    """How many times the rate before the rate after a step is."""

    value: float
    low: float | None = None  # of its interval; None: not measured by rounds
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One loss, or gain, on the way from the peak to what is delivered."""

    name: str
    factor: Factor
    rate: float  # after it
    unit: str
    worth: float | None  # times the delivered rate, were it removed; None: nothing is delivered
    advice: str


@dataclass(frozen=True, slots=True)
class Chain:
    """From the peak to what is delivered."""

    peak: float  # features/s of all cores, each as fast as one is alone
    steps: list[Step]
    delivered: float  # in the unit of the last step
    share: float  # of the peak
    ends: str  # what is missing at its end, or ""


def chain(measured: Mapping[str, Any], served: Mapping[str, Any] | None, gate: str) -> Chain:
    """The chain of a measurement.

    `measured`: what measure_waterfall.py writes. `served`: `arrival_rate` in requests/s and
    `slo_ms` of a confirmed search under load of the same engine and precision, or None. `gate`:
    "passed", "failed", "cannot tell", or "" where nothing is compared. ValueError where fewer than
    LEAST_ROUNDS rounds are undisturbed.
    """
    rounds = undisturbed(measured["turns"])
    if len(rounds) < LEAST_ROUNDS:
        count = len({turn["round"] for turn in measured["turns"]})
        raise ValueError(
            f"{count - len(rounds)} of {count} rounds were disturbed: close what else runs on this "
            "machine and measure again"
        )
    threads, useful = measured["threads"], measured["flops_per_feature"] / 1e9
    peak = threads * statistics.median(one[PRODUCT_ONE] for one in rounds) / useful
    factors = [
        _ratio(rounds, PRODUCT_ALL, PRODUCT_ONE, threads),
        Factor(1.0),
        _ratio(rounds, ALONE_ONE, PRODUCT_ONE, 1 / useful),
        _of_threads(rounds),
        _ratio(rounds, SINGLE, ALONE_ALL, 1),
        _ratio(rounds, TEXTS, ALONE_ALL, 1),
        Factor(measured["questions"] / measured["features"]),
    ]
    steps = [
        (what.name, factor, what.unit, what.advice.format(padding=_padding(measured), n=threads))
        for what, factor in zip(WHATS, factors, strict=True)
    ]
    if gate == "failed":
        steps.append((GATE.name, Factor(0.0), GATE.unit, GATE.advice))
    if served is not None:
        single = statistics.median(one[SINGLE] for one in rounds)
        name = QUEUE.name.format(slo=f"{served['slo_ms']:g}")
        steps.append((name, Factor(served["arrival_rate"] / single), QUEUE.unit, QUEUE.advice))
    return _chained(peak, steps, "" if served is not None else NOT_SERVED)


def undisturbed(turns: Sequence[Mapping[str, Any]]) -> list[dict[str, float]]:
    """The rates of each round in which nothing disturbed a turn and every side took one."""
    by_round: dict[int, dict[str, float]] = {}
    spoiled = set()
    for turn in turns:
        if turn["validity"]["verdict"] != "valid":
            spoiled.add(turn["round"])
        rate = turn.get("gflops") or turn["features"] / turn["seconds"]
        by_round.setdefault(turn["round"], {})[turn["contender"]] = rate
    return [
        rates
        for number, rates in sorted(by_round.items())
        if number not in spoiled and set(rates) == set(SIDES)
    ]


def _ratio(rounds: Sequence[Mapping[str, float]], over: str, under: str, by: float) -> Factor:
    """over / (under x by) of each round, in one value and its interval."""
    return _judged([one[over] / (one[under] * by) for one in rounds])


def _of_threads(rounds: Sequence[Mapping[str, float]]) -> Factor:
    """What all threads reach over one, of what the products of the processor gain by them."""
    return _judged(
        [one[ALONE_ALL] / one[ALONE_ONE] / (one[PRODUCT_ALL] / one[PRODUCT_ONE]) for one in rounds]
    )


def _judged(ratios: Sequence[float]) -> Factor:
    found = verdict(ratios)
    bounded = found.low > 0
    return Factor(found.ratio, found.low if bounded else None, found.high if bounded else None)


def _padding(measured: Mapping[str, Any]) -> str:
    share = measured["flops_per_feature"] / measured["padded_flops_per_feature"]
    length = measured["max_seq_length"]
    return f"nothing is padded; padded to {length} tokens it would keep {share:.0%}"


def _chained(peak: float, steps: Sequence[tuple[str, Factor, str, str]], ends: str) -> Chain:
    made, rate = list[Step](), peak
    for name, factor, unit, advice in steps:
        rate *= factor.value
        worth = 1 / factor.value if factor.value else None
        made.append(Step(name, factor, rate, unit, worth, advice))
    return Chain(peak, made, rate, rate / peak, ends)
