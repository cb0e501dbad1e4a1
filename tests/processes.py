"""Looking at and ending what a command has started."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def wait_for(what: Callable[[], T], seconds: float = 60) -> T:
    """The first true value of `what`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain")


def descendants(pid: int) -> dict[int, list[str]]:
    """The living processes below this one: process id -> command line."""
    parents, commands = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
                command = (folder / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if state != "Z":
                parents[int(folder.name)], commands[int(folder.name)] = int(parent), command
    found: dict[int, list[str]] = {}
    waiting = [pid]
    while waiting:
        above = waiting.pop()
        for child, parent in parents.items():
            if parent == above:
                found[child] = commands[child]
                waiting.append(child)
    return found


def workers(pid: int) -> list[int]:
    """Those below this process that train, by their rank, on whichever host they run."""
    ranks = {
        child: int(variables["RANK"])
        for child in descendants(pid)
        if "TORCHELASTIC_RUN_ID" in (variables := environment(child))
    }
    return sorted(ranks, key=ranks.__getitem__)


def environment(pid: int) -> dict[str, str]:
    """The environment that this process was started with; empty once it has ended."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    except OSError:
        return {}
    return dict(variable.split("=", 1) for variable in variables if "=" in variable)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
