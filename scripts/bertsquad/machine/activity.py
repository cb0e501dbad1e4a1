"""Who keeps the processors busy: this workflow, other programs, or other virtual machines.

The load average cannot tell: it counts our own work, and forgets over minutes. So the clocks of
/proc are read twice: those of the whole machine (/proc/stat) and those of our own processes
(/proc/PID/stat, proc(5)); the rest is others'.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.machine.reading import attempt, is_unavailable, read_text

ROOT = Path("/")
SECONDS = 0.5
# One busy thread elsewhere stalls every parallel loop of ours, on any number of cores; below half a
# thread it is background noise.
BUSY_CPUS = 0.5
# The number of the first PID namespace (PROC_PID_INIT_INO in the kernel's proc_ns.h).
FIRST_PID_NAMESPACE = "pid:[4026531836]"


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds of processor time until now."""

    at: float  # a monotonic clock
    busy: float  # of all processors, by whomever
    stolen: float  # by other virtual machines on the same host
    ours: float  # by this workflow's processes, children that have ended included


@dataclass(frozen=True, slots=True)
class Process:
    """A line of /proc/PID/stat."""

    parent: int
    seconds: float  # its own processor time, and that of children that have ended


def observe(
    seconds: float = SECONDS, root: Path = ROOT, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """What `Watch` sees in so many seconds from now."""
    watch = Watch(root)
    sleep(seconds)
    return watch.result()


class Watch:
    """From its making until `result()`; while it watches it costs nothing."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.first = attempt(lambda: read_clocks(root))

    def result(self) -> dict[str, Any]:
        """Mean numbers of processors: `other_cpus` kept busy by other programs, `workflow_cpus` by
        this workflow, `stolen_cpus` by other virtual machines; over `seconds`. Or `unavailable`."""
        if is_unavailable(self.first):
            return self.first
        last = attempt(lambda: read_clocks(self.root))
        return last if is_unavailable(last) else attempt(lambda: difference(self.first, last))


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


def read_clocks(root: Path = ROOT) -> Clocks:
    """All clocks now. OSError, ValueError or LookupError where /proc does not tell."""
    tick = os.sysconf("SC_CLK_TCK")
    at = time.monotonic()
    # `cpu  user nice system idle iowait irq softirq steal guest guest_nice`; user counts guest.
    [line] = [row for row in read_text(root / "proc/stat").splitlines() if row.startswith("cpu ")]
    user, nice, system, _, _, irq, softirq, steal = (int(word) for word in line.split()[1:9])
    processes = read_processes(root)
    ours = family(os.getpid(), processes, lambda pid: is_snakemake(pid, root))
    return Clocks(
        at=at,
        busy=(user + nice + system + irq + softirq) / tick,
        stolen=steal / tick,
        ours=sum(processes[pid].seconds for pid in ours),
    )


def read_processes(root: Path = ROOT) -> dict[int, Process]:
    """Every process that is visible from here, by its number."""
    tick = os.sysconf("SC_CLK_TCK")
    processes = {}
    for folder in (root / "proc").iterdir():
        if folder.name.isdigit():
            line = attempt(lambda folder=folder: read_text(folder / "stat"))
            if not is_unavailable(line):  # it may have ended meanwhile
                # `1 (name, with anything in it) S parent ...`; times are fields 14 to 17.
                fields = line.rpartition(")")[2].split()
                seconds = sum(int(field) for field in fields[11:15]) / tick
                processes[int(folder.name)] = Process(int(fields[1]), seconds)
    return processes


def family(pid: int, processes: dict[int, Process], is_workflow: Callable[[int], bool]) -> set[int]:
    """The processes of our own workflow: the outermost ancestor that is Snakemake (or, without one,
    `pid` itself) and all below it."""
    head = ancestor = pid
    seen = set()
    while ancestor in processes and ancestor not in seen:
        seen.add(ancestor)
        if is_workflow(ancestor):
            head = ancestor
        ancestor = processes[ancestor].parent
    children: dict[int, list[int]] = {}
    for number, process in processes.items():
        children.setdefault(process.parent, []).append(number)
    found: set[int] = set()
    waiting = [head] if head in processes else []
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += children.get(number, [])
    return found


def is_snakemake(pid: int, root: Path = ROOT) -> bool:
    """Whether a process is Snakemake: `python .../bin/snakemake` or `python -m snakemake`."""
    command = attempt(lambda: read_text(root / f"proc/{pid}/cmdline"))
    if is_unavailable(command):
        return False
    return any(Path(word).name == "snakemake" for word in command.split("\0")[:4])


def sees_all_processes(root: Path = ROOT) -> bool:
    """Whether no container hides some: what those do counts as others', the workflow's own too."""
    try:
        return str((root / "proc/self/ns/pid").readlink()) == FIRST_PID_NAMESPACE
    except OSError:
        return True
