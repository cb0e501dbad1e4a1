"""Whether verdicts can be trusted here: sides that are equal, and sides slower by a known share.

Each trial is a comparison like any other, by the same loop and test. Trials of one kind share the
processes of their rounds by fives, which saves starting them, and take turns of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsquad.benchmark.verdicts import LOOKS

EQUAL = 40  # trials with equal sides
FALSE_AT_MOST = 5  # of them; at a true rate of 5 % more come by chance in 1.4 %
PER_GROUP = 5
# Whether equal sides are told apart does not depend on how long turns are; that a small difference
# is found does.
EQUAL_TURN_S = 1.2
KNOWN_TURN_S = 4.0
FEATURES = 32  # of a pass
KNOWN = {0.05: 2, 0.02: 2}  # trials by the share by which b is slower
RATIO_WITHIN = 0.01  # of 1.05, where b is slower by 5 %
# A first look that tells sides apart does so where chance has made the difference large: a ratio to
# within a hundredth takes all rounds.
LOOKS_OF = {0.05: LOOKS[-1:]}


@dataclass(frozen=True, slots=True)
class Trial:
    """One comparison whose truth is known."""

    name: str
    group: str  # shares processes; its trials differ in nothing but their seed
    slow_down: float  # of b
    turn_seconds: float  # of a side in a round
    features: int  # of a pass
    seed: int
    looks: tuple[int, ...] = LOOKS  # undisturbed rounds after which there may be a verdict


def trials() -> list[Trial]:
    """All of them."""
    known = [
        Trial(
            *(f"{kind}-{number}", kind, share, KNOWN_TURN_S, FEATURES, round(1e5 * share) + number),
            looks=LOOKS_OF.get(share, LOOKS),
        )
        for share, count in KNOWN.items()
        for kind in [f"slower-{100 * share:.0f}"]
        for number in range(1, count + 1)
    ]
    equal = [
        Trial(f"equal-{n:02}", f"equal-{(n - 1) // PER_GROUP + 1}", 0.0, EQUAL_TURN_S, FEATURES, n)
        for n in range(1, EQUAL + 1)
    ]
    return known + equal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the trials of one kind gave."""

    slow_down: float
    trials: int
    words: dict[str, int]  # verdict -> trials
    held: bool | None  # as many right as promised; None: not all are done, and those held
    planned: int

    @property
    def false(self) -> int:
        """Equal sides that were told apart."""
        return self.words.get("faster", 0) + self.words.get("slower", 0)


def outcomes(found: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    """One for each kind of trials, equal sides first. `found`: comparisons with `slow_down`."""
    made = []
    for share in sorted({one["slow_down"] for one in found}):
        some = [one for one in found if one["slow_down"] == share]
        words: dict[str, int] = {}
        for one in some:
            words[one["verdict"]] = words.get(one["verdict"], 0) + 1
        planned = EQUAL if share == 0 else KNOWN[share]
        held: bool | None = _held(share, some)
        if held and len(some) < planned:
            held = None
        made.append(Outcome(share, len(some), words, held, planned))
    return made


def is_near(one: Mapping[str, Any]) -> bool:
    """Whether the ratio of a trial whose b is slower by 5 % is as promised."""
    return bool(abs(one["ratio"]["value"] - 1.05) <= RATIO_WITHIN)


def _held(share: float, some: Sequence[Mapping[str, Any]]) -> bool:
    """Equal: at most FALSE_AT_MOST told apart. Slower: all found, 5 % within RATIO_WITHIN."""
    if share == 0:
        return sum(one["verdict"] in ("faster", "slower") for one in some) <= FALSE_AT_MOST
    near = share != 0.05 or all(map(is_near, some))
    return near and all(one["verdict"] == "faster" for one in some)
