"""What disturbed a measurement: time that its threads waited or lost, switches, faults, quotas.

Read at both ends of what is timed, from counters that the kernel keeps anyway; in between nothing
is read. Counters that a system lacks are `{"unavailable": reason}`.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.machine.activity import Watch
from bertsquad.machine.cgroup import throttled_seconds
from bertsquad.machine.reading import attempt, is_unavailable, read_text

ROOT = Path("/")
_TICK_S = 0.01  # the clocks of /proc/stat count in such steps


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters until now, by name; each a number, or unavailable."""

    at: float  # a monotonic clock, s
    counters: dict[str, Any]


def read(root: Path = ROOT, process: int | None = None) -> Reading:
    """All counters of a process, by default this one, and its machine. Of another one the switches
    are those of its first thread, and page faults are read from /proc."""
    who = "self" if process is None else str(process)
    counters: dict[str, Any] = {
        name: attempt(reader)
        for name, reader in (
            ("busy_s", lambda: _threads(root, who, 0)),
            ("run_delay_s", lambda: _threads(root, who, 1)),
            ("steal_s", lambda: _steal(root)),
            ("psi_s", lambda: _pressure(root)),
            ("throttled_s", lambda: throttled_seconds(root)),
        )
    }
    counters |= _own_faults() if process is None else _faults(root, who)
    return Reading(time.monotonic(), counters)


def difference(first: Reading, last: Reading, other_s: float | None = None) -> dict[str, Any]:
    """Each counter's growth, `seconds`, and as shares of the processor time of our threads:
    `stolen_share` and `waited_share`. Of the time that our threads waited for a processor only so
    much is others' doing as others computed, `other_s` seconds: the rest they owe to each other."""
    found: dict[str, Any] = {"seconds": last.at - first.at}
    for name, now in last.counters.items():
        before = first.counters[name]
        lost = next((value for value in (before, now) if is_unavailable(value)), None)
        found[name] = lost if lost is not None else max(0, now - before)
    busy, stolen, waited = (found[name] for name in ("busy_s", "steal_s", "run_delay_s"))
    if is_unavailable(busy) or busy <= 0:
        return found
    if not is_unavailable(stolen):
        found["stolen_share"] = max(0.0, stolen - _TICK_S) / busy
    if not is_unavailable(waited) and other_s is not None:
        found["waited_share"] = min(waited, max(0.0, other_s - _TICK_S)) / busy
    return found


def disturbance(first: Reading, last: Reading, activity: Mapping[str, Any]) -> dict[str, Any]:
    """`difference`, with what a `Watch` over the same time saw of others."""
    other = activity.get("other_cpus")
    return difference(first, last, None if other is None else other * activity["seconds"])


class Meter:
    """The noise of what is timed: starts at the first `timing` of a mode's progress, which is told
    before the clock, and ends with `result`. Progress goes on to `tell`."""

    def __init__(self, tell: Callable[[str, int, int], None]) -> None:
        self.tell = tell
        self.first: Reading | None = None
        self.watch: Watch | None = None

    def progress(self, phase: str, done: int, total: int) -> None:
        self.tell(phase, done, total)
        if phase == "timing" and self.first is None:
            self.watch, self.first = Watch(), read()

    def result(self) -> dict[str, Any]:
        """What `difference` says; empty where nothing was timed."""
        if self.first is None or self.watch is None:
            return {}
        last = read()
        return disturbance(self.first, last, self.watch.result())


def _own_faults() -> dict[str, int]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "nvcsw": usage.ru_nvcsw,
        "nivcsw": usage.ru_nivcsw,
        "majflt": usage.ru_majflt,
        "minflt": usage.ru_minflt,
    }


def _faults(root: Path, who: str) -> dict[str, Any]:
    """The same of another process: fields of proc_pid_status(5) and, behind the name in brackets,
    of proc_pid_stat(5)."""

    def status(name: str) -> int:
        lines = read_text(root / "proc" / who / "status").splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(name)))

    def stat(field: int) -> int:
        return int(read_text(root / "proc" / who / "stat").rpartition(")")[2].split()[field])

    return {
        "nvcsw": attempt(lambda: status("voluntary_ctxt_switches:")),
        "nivcsw": attempt(lambda: status("nonvoluntary_ctxt_switches:")),
        "majflt": attempt(lambda: stat(9)),
        "minflt": attempt(lambda: stat(7)),
    }


def _threads(root: Path, who: str, field: int) -> float:
    """Seconds of all threads of a process: field 0 on a processor, field 1 waiting for one."""
    total = 0
    for path in (root / "proc" / who / "task").iterdir():
        try:
            total += int(read_text(path / "schedstat").split()[field])
        except FileNotFoundError:
            if not path.exists():  # the thread has ended
                continue
            raise
    return total / 1e9


def _steal(root: Path) -> float:
    """Seconds that other virtual machines took, of all processors (proc(5), /proc/stat)."""
    return int(read_text(root / "proc/stat").splitlines()[0].split()[8]) * _TICK_S


def _pressure(root: Path) -> float:
    """Seconds in which some thread of the machine waited for a processor (/proc/pressure/cpu)."""
    some = read_text(root / "proc/pressure/cpu").splitlines()[0].split()
    return int(some[-1].removeprefix("total=")) / 1e6
