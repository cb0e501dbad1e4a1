"""Tickets: which requests the next free lane takes, and when it begins.

No dispatcher hands requests out: it would take a core from those that compute. Each lane, a thread
of any process, takes the next ticket for itself. While it waits for that request to be due it keeps
the lock, so that only idle lanes wait behind it: first come, first served, and no lane is idle
while a request waits.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_COUNTER, _LOCK = "next", "lock"


def take(
    due: Sequence[float],
    tokens: Sequence[int],
    first: int,
    now: float,
    max_tokens: int | None = None,
    wait: float = 0,
) -> tuple[int, float]:
    """How many requests a lane that is free `now` takes from `first` on, and when it begins.

    Without `max_tokens` one, when it is due. With it, all that are due until it begins and have so
    many tokens together (the first whatever its length): it begins `wait` after the first is due,
    or once a request comes that does not fit. All times in one unit.
    """
    begin = max(now, due[first])
    if max_tokens is None:
        return 1, begin
    limit = max(begin, due[first] + wait)
    total, last = tokens[first], first + 1
    while last < len(due) and due[last] <= limit:
        total += tokens[last]
        if total > max_tokens:
            return last - first, max(begin, due[last])
        last += 1
    return last - first, limit


class Tickets:
    """The number of the next request, shared by all lanes through a folder.

    The lock is flock(2) on a file that each lane opens for itself: it holds between threads as
    between processes, and the kernel frees it when a process dies.
    """

    def __init__(self, folder: Path) -> None:
        self._counter = np.memmap(folder / _COUNTER, np.int64, "r+", shape=1)
        self._lock = os.open(folder / _LOCK, os.O_RDWR)

    @property
    def next(self) -> int:
        return int(self._counter[0])

    @next.setter
    def next(self, number: int) -> None:
        self._counter[0] = number

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One lane at a time."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._lock)


def new_tickets(folder: Path) -> None:
    """All requests are to be taken."""
    np.zeros(1, np.int64).tofile(folder / _COUNTER)
    (folder / _LOCK).touch()
