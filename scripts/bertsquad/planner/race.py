"""A race of layouts: which of many to go on measuring, when each measurement costs time.

All are measured for a short time, then those that can still be the best for twice as long, and so
on. Pure: the measuring, the scores and the clock are the caller's.

Sources: dropping what is beyond chance worse than the best by Maron and Moore, "Hoeffding races"
(1994); halving the field by Jamieson and Talwalkar, "Non-stochastic best arm identification and
hyperparameter optimization" (2016).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from bertsquad.console.errors import UserError


@dataclass(frozen=True, slots=True)
class Score:
    """What a candidate carries, questions a second, and the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Settings:
    """How long a race may take, and how it goes; times in seconds."""

    budget_s: float
    seconds: float  # of a candidate in the first round; each round takes twice as long
    within: float  # a difference in score that is none
    seed: int
    guess_s: float  # what a measurement takes beside its seconds, before one was seen


@dataclass(frozen=True, slots=True)
class Round:
    """Who was measured in a round, for how many seconds each, and who went on, the best first."""

    seconds: float
    raced: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(slots=True)
class Result:
    """How a race went, by the names of the candidates."""

    kept: list[str]  # the best first
    dropped: dict[str, str] = field(default_factory=dict)  # and why
    scores: dict[str, Score] = field(default_factory=dict)  # the last of each
    measured_s: dict[str, float] = field(default_factory=dict)  # under load, in all
    rounds: dict[str, int] = field(default_factory=dict)
    spent_s: float = 0.0
    history: list[Round] = field(default_factory=list)
    ended: str = ""  # why it ended


class FailedError(Exception):
    """A candidate could not be measured; the message says why, in one line."""


Measure = Callable[[str, int, float], float]  # candidate, round, seconds -> what it took
Scores = Callable[[Sequence[str]], Mapping[str, Score | str]]  # or why it is out
Short = Callable[[str], float]  # seconds that are missing before it can be planned with


class Race:
    """One race. `tell` gets a line for each thing that a user waits for."""

    def __init__(
        self,
        candidates: Sequence[str],
        measure: Measure,
        scores: Scores,
        settings: Settings,
        *,
        clock: Callable[[], float],
        tell: Callable[[str], None],
    ) -> None:
        self.measure, self.scores, self.settings = measure, scores, settings
        self.clock, self.tell = clock, tell
        self.result = Result(kept=list(candidates))
        self._beside_s: list[float] = []  # of each measurement

    def run(self, short: Short) -> Result:
        """Race to the end, then measure those that are kept until they can be planned with, as far
        as there is time. `UserError` where not even the first round fits."""
        if not self.result.kept:
            self.result.ended = "nothing can be raced"
            return self.result
        self._fits(self.settings.seconds, len(self.result.kept), self.settings.guess_s)
        number = 0
        while not self.result.ended:
            length = self._length(number)
            if length is None:
                self.result.ended = "time is over"
                break
            raced = tuple(self.result.kept)
            self._round(number, length)
            self._judge(number)
            self.result.history.append(Round(length, raced, tuple(self.result.kept)))
            number += 1
        for name in list(self.result.kept):
            self._complete(name, number, short)
        return self.result

    def _length(self, number: int) -> float | None:
        """Seconds of each candidate in a round; None where there is no time for one."""
        whole: float = self.settings.seconds * 2.0**number
        if number == 0:
            return whole
        left = self.left_s
        length = min(whole, left / len(self.result.kept) - self.beside_s)
        return length if length >= self.settings.seconds else None

    def _round(self, number: int, length: float) -> None:
        names = list(self.result.kept)
        order = np.random.default_rng([self.settings.seed, 16, number]).permutation(len(names))
        for place, name in enumerate(names[n] for n in order):
            left = self.left_s
            if number == 0 and place:
                self._fits(length, len(names) - place, self.beside_s)
            elif number and left < length:
                self.result.ended = "time is over"
                break
            self.tell(
                f"round {number + 1}, {place + 1} of {len(names)}: {name} for {length:.0f} s; "
                f"{max(left, 0.0):.0f} s are left"
            )
            self._measured(name, number, length)

    def _measured(self, name: str, number: int, length: float) -> None:
        try:
            took = self.measure(name, number, length)
        except FailedError as error:
            self._drop(name, str(error))
            return
        self._beside_s.append(max(0.0, took - length))
        self.result.spent_s += took
        self.result.measured_s[name] = self.result.measured_s.get(name, 0.0) + length
        self.result.rounds[name] = number + 1

    def _judge(self, number: int) -> None:
        """Scores of the round: who is out, who is kept, and whether that is the end."""
        begin, raced = self.clock(), list(self.result.kept)
        for name, found in self.scores(raced).items():
            if isinstance(found, str):
                self._drop(name, found)
            else:
                self.result.scores[name] = found
        self.result.spent_s += self.clock() - begin
        scores = {name: self.result.scores[name] for name in self.result.kept}
        if not scores:
            self.result.ended = "none is left"
            return
        kept, dropped = survivors(scores, self.settings.within)
        for name, why in dropped.items():
            self._drop(name, f"dropped after {self.result.measured_s[name]:.0f} s: {why}")
        self.result.kept = kept
        best = scores[kept[0]]
        self.tell(
            f"round {number + 1}: {len(kept)} of {len(raced)} go on; best {kept[0]}, "
            f"{best.value:.4g} questions/s ({best.low:.4g} to {best.high:.4g})"
        )
        if len(kept) == 1:
            self.result.ended = self.result.ended or "one is left"
        elif alike({name: scores[name] for name in kept}, self.settings.within):
            self.result.ended = f"those that are left differ by less than {self.settings.within:g}"

    def _complete(self, name: str, number: int, short: Short) -> None:
        missing = short(name)
        if missing <= 0:
            return
        left = self.left_s
        if left < missing + self.beside_s:
            more = missing + self.beside_s - left
            self.result.dropped[name] = (
                f"leads, but {missing:.0f} s more of it are needed before it can be planned with, "
                f"and time is over: give explore.minutes {more / 60:.2g} more"
            )
            self.result.kept.remove(name)
            return
        self.tell(f"{name} for {missing:.0f} s more, so that it can be planned with")
        self._measured(name, number, missing)

    def _drop(self, name: str, why: str) -> None:
        self.result.dropped[name] = why
        self.result.kept.remove(name)
        self.tell(f"{name}: {why}")

    @property
    def left_s(self) -> float:
        """Seconds of the budget that are not spent."""
        return self.settings.budget_s - self.result.spent_s

    @property
    def beside_s(self) -> float:
        """What a measurement takes beside its seconds."""
        return float(np.mean(self._beside_s)) if self._beside_s else self.settings.guess_s

    def _fits(self, length: float, count: int, beside: float) -> None:
        """`UserError` where so many measurements have no room in the budget."""
        needed = self.result.spent_s + count * (length + beside)
        if needed > self.settings.budget_s:
            raise UserError(
                f"explore.minutes: {self.settings.budget_s:.0f} s, but to measure each of "
                f"{len(self.result.kept) + len(self.result.dropped)} cells once takes about "
                f"{needed:.0f} s; give explore.minutes {_up(needed / 60)} or more, or race fewer "
                "engines, precisions or layouts"
            )


def survivors(scores: Mapping[str, Score], within: float) -> tuple[list[str], dict[str, str]]:
    """Who goes on, the best first, and why the others do not.

    Out is who cannot come `within` of the best, as far as the intervals tell; and where that leaves
    more than half, the worse half, but for those whose value is `within` of the best.
    """
    ranked = sorted(scores, key=lambda name: -scores[name].value)
    least = max(score.low for score in scores.values())
    kept, dropped = [], {}
    for name in ranked:
        if scores[name].high < least * (1 - within):
            dropped[name] = f"at most {scores[name].high:.4g}/s, best at least {least:.4g}"
        else:
            kept.append(name)
    half = (len(ranked) + 1) // 2
    if len(kept) <= half or len(kept) == 1:
        return kept, dropped
    best = scores[kept[0]].value
    going = []
    for place, name in enumerate(kept):
        if place < half or scores[name].value >= best * (1 - within):
            going.append(name)
        else:
            dropped[name] = f"about {scores[name].value:.4g}/s, in the worse half (best {best:.4g})"
    return going, dropped


def alike(scores: Mapping[str, Score], within: float) -> bool:
    """Whether nobody can be better than the worst by more than `within`, as far as the intervals
    tell."""
    lowest = min(score.low for score in scores.values())
    return lowest >= max(score.high for score in scores.values()) * (1 - within)


def _up(minutes: float) -> str:
    """Minutes with one decimal, rounded up."""
    return f"{np.ceil(10 * minutes) / 10:g}"
