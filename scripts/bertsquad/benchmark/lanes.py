"""A lane: takes a ticket, waits until it is due, computes, and writes down when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bertsquad.benchmark.tickets import Tickets, take

Work = Callable[[np.ndarray], object]  # computes the features of these numbers


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is asked and when, known before the clock starts. n requests, of one feature each."""

    due_ns: np.ndarray  # int64[n] ascending, after the start; all 0: every lane is always busy
    features: np.ndarray  # int64[n], their numbers
    tokens: np.ndarray  # int64[n], their lengths
    until_ns: int | None = None  # after which no ticket is taken; None: all are
    max_tokens: int | None = None  # of a batch; None: one request at a time
    wait_ns: int = 0  # for more requests of a batch

    def __len__(self) -> int:
        return len(self.due_ns)


def serve(work: Work, schedule: Schedule, folder: Path, when: Callable[[], int]) -> np.ndarray:
    """One lane until nothing is left to take. `when` waits for the moment at which the schedule
    starts, on time.perf_counter_ns, which is one clock for all processes (CLOCK_MONOTONIC); it is
    called once all else is ready.

    int64[batches, 4]: first ticket, number of tickets, start and end after `start_ns`.
    """
    due, tokens = schedule.due_ns.tolist(), schedule.tokens.tolist()
    rule = (schedule.max_tokens, schedule.wait_ns)
    taken: list[tuple[int, int, int, int]] = []
    tickets = Tickets(folder)
    try:
        start_ns = when()
        _sleep_until(start_ns)
        while True:
            with tickets.locked():
                first, now = tickets.next, time.perf_counter_ns() - start_ns
                late = schedule.until_ns is not None and now >= schedule.until_ns
                if first >= len(due) or late:
                    break
                count, begin = take(due, tokens, first, now, *rule)
                tickets.next = first + count
                _sleep_until(start_ns + int(begin))
                start = time.perf_counter_ns()
            work(schedule.features[first : first + count])
            taken.append((first, count, start - start_ns, time.perf_counter_ns() - start_ns))
    finally:
        tickets.close()
    return np.array(taken, np.int64).reshape(-1, 4)


def _sleep_until(moment_ns: int) -> None:
    while (left := moment_ns - time.perf_counter_ns()) > 0:
        time.sleep(left / 1e9)
