"""Looking at and ending what a command has started."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psutil

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
    found = {}
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # a zombie's command line is not there either
                found[child.pid] = child.cmdline()
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
        return psutil.Process(pid).environ()
    except psutil.NoSuchProcess:
        return {}


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
