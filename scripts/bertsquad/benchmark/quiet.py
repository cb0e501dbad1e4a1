"""Waiting for a quiet machine before a measurement, and for how long at most.

A measurement that others disturb is worth little; so is a benchmark that waits for hours. All cells
that share a file of patience wait at most so many seconds together in any hour.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.machine.activity import BUSY_CPUS, observe
from bertsquad.own_json import OTHER_SHAPE, object_or_empty

# Well below what disturbs a cell (BUSY_CPUS): an idle system's own services stay under 0.1.
QUIET_CPUS = BUSY_CPUS / 2
_QUIET_LOOKS = 2  # in a row, of half a second: programs pause for less
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Waited:
    """How a wait went."""

    seconds: float
    quiet: bool | None  # None: the system does not tell who computes


def busy_cpus(seen: Mapping[str, Any]) -> float | None:
    """Processors that others kept busy in what `Watch` saw; None where it saw nothing."""
    if "other_cpus" not in seen:
        return None
    return float(seen["other_cpus"]) + float(seen.get("stolen_cpus", 0.0))


def wait_for_quiet(
    seen: Mapping[str, Any],
    seconds: float,
    *,
    look: Callable[[], Mapping[str, Any]] = observe,
    clock: Callable[[], float] = time.monotonic,
    tell: Callable[[str], None],
) -> Waited:
    """Wait up to so many seconds until others leave the processors alone; say so by `tell`.

    `seen`: who computed until now, as `Watch` saw it. Where that was nobody, nothing is waited for.
    """
    busy = busy_cpus(seen)
    if busy is None or busy <= QUIET_CPUS:
        return Waited(0.0, None if busy is None else True)
    if seconds <= 0:
        return Waited(0.0, False)
    tell(f"others keep {busy:.1f} CPUs busy: waiting up to {seconds:.0f} s for a quiet machine")
    start, quiet_looks = clock(), 0
    while quiet_looks < _QUIET_LOOKS and clock() - start < seconds:
        busy = busy_cpus(look())
        quiet_looks = quiet_looks + 1 if busy is None or busy <= QUIET_CPUS else 0
    waited = clock() - start
    if quiet_looks == _QUIET_LOOKS:
        tell(f"quiet after {waited:.1f} s")
        return Waited(waited, True)
    tell(f"not quiet after {waited:.1f} s (others keep {busy or 0:.1f} CPUs busy): going on")
    return Waited(waited, False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds may still be waited: at most `seconds`, all of it again after an hour.

    `path`: where processes tell each other what is left; None: this one has all of it.
    """

    seconds: float
    path: Path | None = None
    now: Callable[[], float] = time.time

    def left(self) -> float:
        """Seconds that are left."""
        left, at = self._read()
        regained = max(0.0, self.now() - at) * self.seconds / _HOUR_S
        return min(self.seconds, left + regained)

    def share(self) -> float:
        """Seconds that one wait may take: half of what is left, so that some stays for the next."""
        return self.seconds if self.path is None else self.left() / 2

    def suffices(self, seconds: float) -> bool:
        """Whether so many more may be spent. One who shares with nobody has asked for it."""
        return self.path is None or seconds <= self.left()

    def spend(self, seconds: float) -> None:
        """Take so many seconds from what is left. A file that cannot be written shares nothing."""
        if self.path is None or seconds <= 0:
            return
        from bertsquad.files import write_json

        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, {"left_s": max(0.0, self.left() - seconds), "at": self.now()})

    def _read(self) -> tuple[float, float]:
        """Seconds left, and when that was (s since 1970); all, where nobody says otherwise."""
        found = object_or_empty(self.path) if self.path else {}
        try:
            left, at = float(found["left_s"]), float(found["at"])
        except OTHER_SHAPE:
            return self.seconds, self.now()
        known = math.isfinite(left) and math.isfinite(at)
        return (max(0.0, left), at) if known else (self.seconds, self.now())
