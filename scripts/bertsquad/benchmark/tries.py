"""A disturbed measurement is taken once more, by a process that is as new as the first.

The second is kept, whatever it is like: to keep the better one would make every cell look faster
than it is.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bertsquad.benchmark.quiet import Patience, wait_for_quiet
from bertsquad.benchmark.validity import CODES
from bertsquad.console.errors import UserError
from bertsquad.machine.activity import Watch, observe

OPTION = "--first-try"
_KEPT = ("validity", "features_per_second", "started_at")


@dataclass(slots=True)
class Tries:
    """The tries of one cell. Made when the command starts, so that who computes meanwhile is seen
    while libraries are imported, which takes no time of its own."""

    patience: Patience
    first: dict[str, Any] | None  # of an earlier process: what its try found
    tell: Callable[[str], None]
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    watch: Watch = field(default_factory=Watch)
    waited_s: float = 0.0
    quiet: bool | None = None  # before the measurement
    not_again: str = ""

    def wait(self) -> None:
        """Before the measurement: wait for a quiet machine. A second try has waited already."""
        if self.first is not None:
            self.waited_s, self.quiet = self.first["waited_s"], self.first["quiet"]
        else:
            self._wait(self.watch.result())

    def _wait(self, seen: Mapping[str, Any]) -> None:
        waited = wait_for_quiet(
            seen, self.patience.share(), look=observe, clock=time.monotonic, tell=self.tell
        )
        self.patience.spend(waited.seconds)
        self.waited_s += waited.seconds
        self.quiet = waited.quiet

    def again(self, cell: Mapping[str, Any], took_s: float) -> bool:
        """After the measurement, which took so long: whether it should be taken again.

        It should where something else than the measurement itself disturbed it, if the machine
        becomes quiet, or the time can be spared all the same.
        """
        mendable = [r["code"] for r in cell["validity"]["reasons"] if CODES[r["code"]].again]
        if self.first is not None or not mendable or self.patience.seconds <= 0:
            return False
        self.tell(f"disturbed ({', '.join(mendable)}): to be measured again")
        quiet_before = self.quiet
        self._wait(observe())
        if self.quiet is False and not self.patience.suffices(took_s):
            self.not_again = f"others still computed after {self.waited_s:.0f} s of waiting"
            self.tell(f"not measured again: {self.not_again}")
            self.quiet = quiet_before
            return False
        if self.quiet is False:
            self.patience.spend(took_s)
        return True

    def restart(self, cell: Mapping[str, Any], cpus: Sequence[int]) -> None:
        """Start this command anew in place of this process, with what this try found. `cpus`: the
        processors that it was allowed when it started."""
        found = {name: cell[name] for name in _KEPT if name in cell}
        found |= {"waited_s": self.waited_s, "quiet": self.quiet}
        self.tell("measuring again")
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, cpus)
        sys.stdout.flush()
        command = [*sys.orig_argv, OPTION, json.dumps(found)]
        os.execve(sys.executable, command, self.environment)

    def facts(self) -> dict[str, Any]:
        """What the cell holds of its tries: their `number`, how long was waited, and whether the
        machine was `quiet` before the one that is kept; of a second one what the `first` found; of
        a disturbed first one why it was `not_again` measured."""
        found: dict[str, Any] = {"number": 1 if self.first is None else 2}
        found |= {"waited_s": round(self.waited_s, 1), "quiet": self.quiet}
        if self.first is not None:
            found["first"] = {name: self.first[name] for name in _KEPT if name in self.first}
        if self.not_again:
            found["not_again"] = self.not_again
        return found


def first_try(text: str) -> dict[str, Any]:
    """What `restart` has written. `UserError` for anything else."""
    try:
        found: dict[str, Any] = json.loads(text)
        if isinstance(found["validity"]["verdict"], str):
            return {"waited_s": float(found["waited_s"]), "quiet": found["quiet"]} | found
    except (ValueError, TypeError, KeyError):
        pass
    raise UserError(f"{OPTION}: found {text!r:.60}; this option is for the command itself")
