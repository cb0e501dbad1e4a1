"""Two commands that are sides of a comparison: started, warmed, and compared by turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bertsquad.benchmark.comparing import A, B, Rules, compare
from bertsquad.benchmark.side_process import SideProcess


@contextmanager
def loaded(
    name: str,
    commands: Mapping[str, Sequence[str]],
    environments: Mapping[str, Mapping[str, str]],
    folder: Path,
) -> Iterator[tuple[dict[str, SideProcess], dict[str, Any]]]:
    """The sides `a` and `b` as processes, loaded one after the other, warm and stopped; and what
    each answered when it was ready. Their logs are in `folder` until all went well.

    SideFailed, with the last line of a side's log, where one ends.
    """
    logs = {side: folder / f"{name}.{side}.log" for side in (A, B)}
    facts, processes = {}, {}
    with ExitStack() as stack:
        for side in (A, B):
            process = SideProcess(
                f"{name}, side {side}", commands[side], environments[side], logs[side]
            )
            stack.callback(process.close)
            facts[side] = process.ready()
            processes[side] = process
        yield processes, facts
    for log in logs.values():
        log.unlink()


def compare_commands(
    name: str,
    commands: Mapping[str, Sequence[str]],
    environments: Mapping[str, Mapping[str, str]],
    rules: Rules,
    folder: Path,
    tell: Callable[[dict[str, Any]], None] = lambda round: None,
) -> dict[str, Any]:
    """What `comparing.compare` says of the sides, and `facts`, what they answered when ready."""
    with loaded(name, commands, environments, folder) as (processes, facts):
        return {"facts": facts, **compare(processes, rules, tell)}
