"""Who keeps the processors busy: this workflow, other programs, or other virtual machines.

The load average cannot tell: it counts our own work, and forgets over minutes. So the clocks of the
system are read twice: those of the whole machine and those of our own processes; the rest is
others'.
"""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bertsquad.machine.reading import Unavailable, attempt

ROOT = Path("/")
_SECONDS = 0.5
# One busy thread elsewhere stalls every parallel loop, on any number of cores; below half a
# thread it is background noise.
BUSY_CPUS = 0.5
# The number of the first PID namespace (PROC_PID_INIT_INO in the kernel's proc_ns.h).
_FIRST_PID_NAMESPACE = "pid:[4026531836]"


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds of processor time until now."""

    at: float  # a monotonic clock
    busy: float  # of all processors, by whomever
    stolen: float  # by other virtual machines on the same host
    ours: float  # by this workflow's processes, children that have ended included


def observe(seconds: float = _SECONDS) -> dict[str, Any]:
    """What `Watch` sees in so many seconds from now."""
    watch = Watch()
    time.sleep(seconds)
    return watch.result()


class Watch:
    """From its making until `result()`; while it watches it costs nothing."""

    def __init__(self) -> None:
        self.first: Clocks | Unavailable = attempt(read_clocks)

    def result(self) -> dict[str, Any]:
        """Mean numbers of processors: `other_cpus` kept busy by other programs, `workflow_cpus` by
        this workflow, `stolen_cpus` by other virtual machines; over `seconds`. Or `unavailable`."""
        last: Clocks | Unavailable = attempt(read_clocks)
        if isinstance(self.first, dict):
            return dict(self.first)
        if isinstance(last, dict):
            return dict(last)
        found: dict[str, Any] = attempt(partial(difference, self.first, last))
        return found


def difference(first: Clocks, last: Clocks) -> dict[str, Any]:
    """Processors kept busy between two readings. LookupError where the clocks stand still."""
    seconds = last.at - first.at
    if last.busy == 0:
        raise LookupError("/proc/stat counts nothing (a sandbox hides the machine's clocks)")
    ours = max(0.0, last.ours - first.ours) / seconds
    busy = max(0.0, last.busy - first.busy) / seconds
    return {
        "seconds": round(seconds, 3),
        "workflow_cpus": round(ours, 2),
        "other_cpus": round(max(0.0, busy - ours), 2),
        "stolen_cpus": round(max(0.0, last.stolen - first.stolen) / seconds, 2),
    }


def read_clocks() -> Clocks:
    """All clocks now. OSError, ValueError or LookupError where the system does not tell."""
    at = time.monotonic()
    try:
        machine = psutil.cpu_times()._asdict()  # which fields it has depends on the system
        ours = sum(map(_seconds, workflow(psutil.Process())))
    except psutil.Error as error:
        raise LookupError(str(error)) from error
    busy = sum(machine.get(name, 0.0) for name in ("user", "nice", "system", "irq", "softirq"))
    return Clocks(at, busy, machine.get("steal", 0.0), ours)


def workflow(process: psutil.Process) -> list[psutil.Process]:
    """The processes of our own workflow: the outermost ancestor that is Snakemake (or, without one,
    the process itself) and all below it."""
    head = process
    for ancestor in process.parents():
        if is_snakemake(ancestor):
            head = ancestor
    return [head, *head.children(recursive=True)]


def is_snakemake(process: psutil.Process) -> bool:
    """Whether a process is Snakemake: `python .../bin/snakemake` or `python -m snakemake`."""
    try:
        return any(Path(word).name == "snakemake" for word in process.cmdline()[:4])
    except psutil.Error:  # it has ended, or is not ours to look at
        return False


def _seconds(process: psutil.Process) -> float:
    """Processor time of a process and of its children that have ended; 0 once it has ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def sees_all_processes(root: Path = ROOT) -> bool:
    """Whether no container hides some: what those do counts as others', the workflow's own too."""
    try:
        return str((root / "proc/self/ns/pid").readlink()) == _FIRST_PID_NAMESPACE
    except OSError:
        return True
