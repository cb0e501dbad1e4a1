"""Two commands that are sides of a comparison: started anew in every round, warmed, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertsquad.benchmark.comparing import Rules, compare
from bertsquad.benchmark.side_process import SideProcess


@dataclass
class Pair:
    """The commands of the sides `a` and `b`, and what each answered when it was ready first."""

    name: str
    commands: Mapping[str, Sequence[str]]
    environments: Mapping[str, Mapping[str, str]]
    folder: Path  # of their logs, which stay where a side fails
    facts: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def started(self, order: Sequence[str]) -> Iterator[dict[str, SideProcess]]:
        """Both as processes that load at the same time, started in this order; each warm, and
        stopped. SideFailed, with the last line of a side's log, where one ends."""
        processes = {}
        with ExitStack() as stack:
            for side in order:
                processes[side] = SideProcess(
                    f"{self.name}, side {side}",
                    self.commands[side],
                    self.environments[side],
                    self._log(side),
                )
                stack.callback(processes[side].close)
            answers = {side: processes[side].ready() for side in order}
            self.facts = self.facts or answers
            yield processes
        for side in order:
            self._log(side).unlink()

    def _log(self, side: str) -> Path:
        return self.folder / f"{self.name}.{side}.log"


def compare_commands(
    name: str,
    commands: Mapping[str, Sequence[str]],
    environments: Mapping[str, Mapping[str, str]],
    rules: Rules,
    folder: Path,
    tell: Callable[[dict[str, Any]], None] = lambda round: None,
) -> dict[str, Any]:
    """What `comparing.compare` says of the sides, and `facts`, what they answered when ready."""
    pair = Pair(name, commands, environments, folder)
    found = compare(pair.started, rules, tell)
    return {"facts": pair.facts, **found}
