"""Which of two sides is faster: turns until the rounds tell, or that they cannot.

In every round both sides are started anew. A process is faster or slower for as long as it lives,
by where its memory lies and by which was started first; so rounds are independent of each other
only where their processes are, and a coin draws which is started first and which goes first.

Within a round the sides take several short turns: a b, b a, a b. A machine that is slower for some
seconds is so for both sides then. The ratio of a round is the geometric mean of its pairs of turns.

A pair in which a turn was disturbed does not count, nor does a round of which half the pairs do
not: it is kept, marked, and another takes its place. Whether it counts does not depend on which
side was the faster in it, and who went first was drawn by chance, so the test of the rounds that
are left is as exact as that of all. Where more rounds are disturbed than not, there is no verdict.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
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
_TURNS = 4  # of a side in a round, where a pass is no longer than they are

# So many disturbed rounds end no comparison yet, however few there are in all; nor as many as the
# first look takes.
LEAST_DISTURBED = 8


@dataclass(frozen=True, slots=True)
class Rules:
    """How a verdict is reached."""

    metric: str = "rate"  # features per second, or the latency p50, p90, p95 or p99 of a turn
    looks: tuple[int, ...] = LOOKS  # undisturbed rounds after which there may be a verdict
    same_within: float = SAME_WITHIN
    seed: int = 0  # of who is started first, and who goes first
    seconds: float = 0.0  # that the turns of a side take together in a round; 0: one turn

    @property
    def level(self) -> float:
        return level_of(len(self.looks))

    @property
    def turn_seconds(self) -> float:
        """The least that one turn takes: a latency's percentile is of one turn a round, which has
        all requests that it needs."""
        return self.seconds / _TURNS if self.metric == "rate" else self.seconds


# Starts both sides, in the order given, and ends them.
Start = Callable[[Sequence[str]], AbstractContextManager[Mapping[str, Runs]]]


class Comparison:
    """Two sides that are being compared: the rounds so far, and who is drawn for the next."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.rounds: list[dict[str, Any]] = []
        self._rng = np.random.default_rng(rules.seed)

    def draw(self) -> list[str]:
        """The sides in an order that a fair coin draws."""
        order: list[str] = self._rng.permutation([A, B]).tolist()
        return order

    def take(self, sides: Mapping[str, Runs], started_first: str) -> dict[str, Any]:
        """One more round: turns of each side until both took rules.seconds. LookupError where a
        turn has not enough requests for the metric."""
        order, metric = self.draw(), self.rules.metric
        pairs: list[dict[str, Any]] = []
        while not pairs or min(spent(pairs, A), spent(pairs, B)) < self.rules.seconds:
            turns = {name: take_turn(sides[name]) for name in order[:: (-1) ** len(pairs)]}
            pairs.append({**turns, "ratio": speed(turns[A], metric) / speed(turns[B], metric)})
        quiet = [pair for pair in pairs if is_valid(pair[A]) and is_valid(pair[B])]
        undisturbed = 2 * len(quiet) > len(pairs)
        logarithms = np.log([pair["ratio"] for pair in (quiet if undisturbed else pairs)])
        self.rounds.append(
            {
                "started_first": started_first,
                "first": order[0],
                "pairs": pairs,
                "ratio": math.exp(logarithms.mean()),
                "undisturbed": undisturbed,
            }
        )
        return self.rounds[-1]

    def result(self) -> dict[str, Any] | None:
        """`rounds`, and what `judge` says of them; None: it takes more of them."""
        found = judge(self.rounds, self.rules)
        patience = max(min(LEAST_DISTURBED, *self.rules.looks), found["rounds_used"])
        done = found["verdict"] or found["rounds_disturbed"] > patience
        return {"rounds": self.rounds, **found} if done else None


def compare(
    start: Start,
    rules: Rules,
    tell: Callable[[dict[str, Any]], None] = lambda round: None,
) -> dict[str, Any]:
    """`rounds` of the sides A and B that `start` starts, and what `judge` says of them.

    `tell` gets every round. SideFailed where a side ends or does not answer; LookupError where a
    turn has not enough requests for the metric.
    """
    [found] = compare_all(start, [rules], tell)
    return found


def compare_all(
    start: Start,
    rules: Sequence[Rules],
    tell: Callable[[dict[str, Any]], None] = lambda round: None,
) -> list[dict[str, Any]]:
    """As `compare`, several comparisons of the same sides: they share the processes of a round, and
    each takes turns of its own."""
    going = dict(enumerate(map(Comparison, rules)))
    found: dict[int, dict[str, Any]] = {}
    while going:
        order = next(iter(going.values())).draw()
        with start(order) as sides:
            for one in going.values():
                tell(one.take(sides, order[0]))
        found |= {n: result for n, one in going.items() if (result := one.result())}
        going = {n: one for n, one in going.items() if n not in found}
    return [found[n] for n in range(len(rules))]


def is_valid(turn: Mapping[str, Any]) -> bool:
    return bool(turn["validity"]["verdict"] == "valid")


def spent(pairs: Sequence[Mapping[str, Any]], side: str) -> float:
    """Seconds of a side's turns together."""
    return float(sum(pair[side]["seconds"] for pair in pairs))


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
        for pair in one["pairs"]
        for side in (A, B)
        for reason in pair[side]["validity"]["reasons"]
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
