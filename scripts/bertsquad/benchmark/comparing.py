"""Which of two sides is faster: turns until the rounds tell, or that they cannot.

A round in which a turn was disturbed is kept, marked, and does not count: another takes its place.
Whether it counts does not depend on which side was the faster in it, and who went first was drawn
by chance, so the test of the rounds that are left is as exact as that of all. Where more rounds
are disturbed than not, there is no verdict.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertsquad.benchmark.turns import Runs, take_turn
from bertsquad.benchmark.verdicts import (
    LOOKS,
    SAME_WITHIN,
    Verdict,
    difference_seen,
    level_of,
    verdict,
)

A, B = "a", "b"

# So many disturbed rounds end no comparison yet, however few there are in all.
LEAST_DISTURBED = 8


@dataclass(frozen=True, slots=True)
class Rules:
    """How a verdict is reached."""

    metric: str = "rate"  # features per second, or the latency p50, p90, p95 or p99 of a turn
    looks: tuple[int, ...] = LOOKS  # undisturbed rounds after which there may be a verdict
    same_within: float = SAME_WITHIN
    seed: int = 0  # of who goes first

    @property
    def level(self) -> float:
        return level_of(len(self.looks))


def compare(
    sides: Mapping[str, Runs],
    rules: Rules,
    tell: Callable[[dict[str, Any]], None] = lambda round: None,
) -> dict[str, Any]:
    """What `sides[A]` and `sides[B]` gave: `rounds`, and of them what `judge` says.

    `tell` gets every round. SideFailed where a side ends or does not answer; LookupError where a
    turn has not enough requests for the metric.
    """
    rounds: list[dict[str, Any]] = []
    rng = np.random.default_rng(rules.seed)
    while True:
        order = rng.permutation([A, B]).tolist()
        turns = {name: take_turn(sides[name]) for name in order}
        rounds.append(
            {
                "first": order[0],
                **turns,
                "ratio": speed(turns[A], rules.metric) / speed(turns[B], rules.metric),
                "undisturbed": all(t["validity"]["verdict"] == "valid" for t in turns.values()),
            }
        )
        tell(rounds[-1])
        found = judge(rounds, rules)
        count = found["rounds_used"]
        if found["verdict"] or found["rounds_disturbed"] > max(LEAST_DISTURBED, count):
            return {"rounds": rounds, **found}


def speed(turn: Mapping[str, Any], metric: str) -> float:
    """What the ratio is made of: features per second, or the inverse of a latency."""
    if metric == "rate":
        return float(turn["features"] / turn["seconds"])
    if metric not in turn.get("latency_ms", {}):
        raise LookupError(f"{turn.get('requests', 0)} requests a turn are too few for {metric}")
    return float(1 / turn["latency_ms"][metric])


def judge(rounds: Sequence[Mapping[str, Any]], rules: Rules) -> dict[str, Any]:
    """`verdict` of a over b after these rounds, None where disturbance leaves none, with `why`.

    `ratio` of a's speed over b's: `value`, `low`, `high` (None: unbounded), `level`; `rounds_used`
    and `rounds_disturbed`; `sd` of the logarithm of a round's ratio; `would_need`, the rounds that
    would decide; `reasons`, what disturbed, by how many turns it did.
    """
    ratios = [one["ratio"] for one in rounds if one["undisturbed"]]
    disturbed = len(rounds) - len(ratios)
    found = _at_looks(ratios, rules)
    done = found is not None and (found.word != "cannot tell" or found.rounds >= max(rules.looks))
    if not done and ratios:
        found = verdict(ratios, rules.same_within, rules.level)
    reasons = _reasons(rounds)
    return {
        "verdict": found.word if found and done else None,
        "why": None if done else _why(disturbed, len(rounds), reasons),
        "ratio": _ratio(found, rules) if found else None,
        "rounds_used": len(ratios),
        "rounds_disturbed": disturbed,
        "reasons": reasons,
        "sd": float(np.std(np.log(ratios), ddof=1)) if len(ratios) > 1 else None,
        "would_need": found.would_need if found and done else None,
    }


def _at_looks(ratios: Sequence[float], rules: Rules) -> Verdict | None:
    """The verdict at the first look that decides, else at the last one there was. Between two looks
    nothing is decided, or there would be more looks than the level is for."""
    found = None
    for look in sorted(rules.looks):
        if look <= len(ratios) and (found is None or found.word == "cannot tell"):
            found = verdict(ratios[:look], rules.same_within, rules.level)
    return found


def sees(ratios: Sequence[float], looks: Sequence[int]) -> dict[str, float] | None:
    """By the noise of these rounds, the difference (0.02: 2 %) that so many rounds find in four of
    five cases, by their number as text. None of fewer than two rounds."""
    if len(ratios) < 2:
        return None
    sd = float(np.std(np.log(ratios), ddof=1))
    return {str(look): math.expm1(difference_seen(sd, look)) for look in sorted(looks)}


def _ratio(found: Verdict, rules: Rules) -> dict[str, Any]:
    return {
        "value": found.ratio,
        "low": found.low or None,
        "high": found.high if math.isfinite(found.high) else None,
        "level": rules.level,
    }


def _reasons(rounds: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Codes of benchmark/validity.py, and in how many turns each was found."""
    codes = Counter(
        reason["code"]
        for one in rounds
        for side in (A, B)
        for reason in one[side]["validity"]["reasons"]
    )
    return dict(sorted(codes.items()))


def _why(disturbed: int, rounds: int, reasons: Mapping[str, int]) -> str:
    turns = ", ".join(f"{code} in {count}" for code, count in reasons.items())
    return (
        f"{disturbed} of {rounds} rounds were disturbed (turns: {turns or 'none'}): close what "
        "else runs on this machine and measure again"
    )


def nothing_measured(why: str) -> dict[str, Any]:
    """What a comparison holds that was not measured."""
    return {**judge([], Rules()), "why": why, "rounds": []}
