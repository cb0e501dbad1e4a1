"""The instances of a layout as processes: started, told what to serve, and given up together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from bertsquad.benchmark import instance
from bertsquad.benchmark.lanes import Schedule
from bertsquad.benchmark.layout import InstancePlace
from bertsquad.benchmark.samples import Samples, pool
from bertsquad.benchmark.tickets import Tickets, new_tickets
from bertsquad.machine.noise import Reading

_SCRIPTS = Path(instance.__file__).resolve().parents[2]
_START_AFTER_NS = 50_000_000  # for all instances to hear of it
_END_WITHIN_S = 5.0
# Counters of the whole machine; the others are each process's own and are added up.
_OF_THE_MACHINE = ("steal_s", "psi_s", "throttled_s")


class LostInstanceError(Exception):
    """An instance ended while it was needed; the message is one line."""


class Fleet:
    """All instances. Leaving the block ends them.

    `opener` names a function, `module:function`, that an instance calls with the job: a dictionary
    of `job` with `streams`, its `cpus` and `memory_nodes`. It returns a lanes.Work for each stream
    and facts on what it has loaded.
    """

    def __init__(
        self, opener: str, job: Mapping[str, Any], places: Sequence[InstancePlace]
    ) -> None:
        self.facts: list[dict[str, Any]] = []  # of each instance
        self.pss_mib: list[float] = []  # of all instances together, after each thing they did
        self._processes: list[subprocess.Popen[bytes]] = []
        self._connections: list[Connection[Any, Any]] = []
        self._served = ""  # how far a run is, in words
        self._folder = tempfile.TemporaryDirectory(prefix="bertsquad-lanes-")
        self._jobs = [
            {
                **job,
                "opener": opener,
                "cpus": list(place.cpus),
                "memory_nodes": list(place.memory_nodes),
            }
            for place in places
        ]

    def __enter__(self) -> Fleet:
        """Start and load. UserError as an instance's opener raises it."""
        try:
            for job in self._jobs:
                self._start(job)
            self.facts = self._replies()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection in self._connections:
            connection.close()
        if error is None:
            end = time.monotonic() + _END_WITHIN_S
            for process in self._processes:
                try:
                    process.wait(max(0.0, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    break
        self._kill()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def warm_up(self, features: np.ndarray, seconds: float) -> int:
        """Every lane of every instance computes each of these features once, for so many seconds at
        most. How many all lanes came to."""
        replies = self._ask(("warm up", features, seconds))
        return int(min(reply["visited"] for reply in replies))

    def serve(self, schedule: Schedule) -> tuple[Samples, tuple[Reading, Reading]]:
        """Serve a schedule by all lanes: samples, and counters before and after."""
        folder = Path(self._folder.name)
        new_tickets(folder)
        self._served = f"of {len(schedule):,} requests" if schedule.until_ns is None else "requests"
        for number in range(len(self._connections)):
            self._send(number, ("serve", str(folder), schedule))
        self._replies()  # all lanes wait
        replies = self._ask(time.perf_counter_ns() + _START_AFTER_NS)
        self._served = ""
        samples = pool(schedule, [taken for reply in replies for taken in reply["taken"]])
        firsts, lasts = zip(*(reply["noise"] for reply in replies), strict=True)
        return samples, (_together(firsts), _together(lasts))

    def _start(self, job: dict[str, Any]) -> None:
        ours, theirs = socket.socketpair()
        path = os.pathsep.join([str(_SCRIPTS), *filter(None, [os.environ.get("PYTHONPATH")])])
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", instance.__name__, str(theirs.fileno())],
                env=os.environ | {"PYTHONPATH": path},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        connection: Connection[Any, Any] = Connection(ours.detach())
        self._processes.append(process)
        self._connections.append(connection)
        self._send(len(self._processes) - 1, job)

    def _ask(self, what: object) -> list[dict[str, Any]]:
        for number in range(len(self._connections)):
            self._send(number, what)
        replies = self._replies()
        self.pss_mib.append(sum(reply["pss_mib"] for reply in replies))
        return replies

    def _send(self, number: int, what: object) -> None:
        try:
            self._connections[number].send(what)
        except OSError:
            raise self._lost(number) from None

    def _replies(self) -> list[dict[str, Any]]:
        """What each instance answers; LostInstanceError as soon as one has ended instead."""
        found: dict[int, dict[str, Any]] = {}
        waiting = {connection: number for number, connection in enumerate(self._connections)}
        while waiting:
            for ready in wait(list(waiting)):
                number = waiting.pop(ready)  # type: ignore[call-overload]
                try:
                    what, reply = self._connections[number].recv()
                except (EOFError, OSError):
                    raise self._lost(number) from None
                if what == "refused":
                    raise reply
                found[number] = reply
        return [found[number] for number in range(len(self._connections))]

    def _lost(self, number: int) -> LostInstanceError:
        """Give up all instances, and say which one was lost."""
        process = self._processes[number]
        try:
            status = process.wait(1)
        except subprocess.TimeoutExpired:
            status = -signal.SIGKILL
        how = f"signal {-status}" if status < 0 else f"status {status}"
        served = ""
        if self._served:
            tickets = Tickets(Path(self._folder.name))
            served = f" after {tickets.next:,} {self._served}"
            tickets.close()
        self._kill()
        count = len(self._processes)
        return LostInstanceError(f"instance {number + 1} of {count} ended ({how}){served}")

    def _kill(self) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
        self._folder.cleanup()


def _together(readings: Iterable[Reading]) -> Reading:
    """Counters of all processes as one: their own added up."""
    readings = list(readings)
    counters = dict(readings[0].counters)
    for name in counters:
        values = [reading.counters[name] for reading in readings]
        if name in _OF_THE_MACHINE:
            continue
        lost = [value for value in values if not isinstance(value, (int, float))]
        counters[name] = lost[0] if lost else sum(values)
    return Reading(readings[0].at, counters)
