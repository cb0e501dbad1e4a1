"""How many threads a computation should use here, and on which processors."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bertsquad.machine import cgroup, cpu, topology
from bertsquad.machine.reading import attempt, format_cpu_list, is_unavailable
from bertsquad.machine.topology import ROOT, Core

# Where a user has placed the threads of OpenMP by one of these, we do not.
PLACED_BY_THE_USER = (
    *("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY", "KMP_HW_SUBSET"),
)


@dataclass(frozen=True, slots=True)
class Team:
    """The threads of one process, and the processors it should run on: of every core that it may
    use one hardware thread, since the others of a core share its multipliers and add nothing."""

    threads: int
    cpus: tuple[int, ...]  # at least `threads` of them, unless more were demanded than there are
    sockets: tuple[int, ...]  # empty where the machine does not tell

    def __str__(self) -> str:
        count = f"{self.threads} thread{'s' if self.threads != 1 else ''}"
        where = f"processor{'s' if len(self.cpus) != 1 else ''} {format_cpu_list(list(self.cpus))}"
        if not self.sockets:
            return f"{count} on {where}"
        sockets = f"socket{'s' if len(self.sockets) != 1 else ''}"
        return f"{count} on {where} of {sockets} {format_cpu_list(list(self.sockets))}"


def default_team(at_most: int | None = None, root: Path = ROOT) -> Team:
    """The team that computes fastest here: see `choose_team`. `at_most` is what a scheduler gave
    (Snakemake's {threads}), in logical processors."""
    return choose_team(*_surroundings(root), at_most=at_most)


def team_of(threads: int, root: Path = ROOT) -> Team:
    """A team of exactly so many threads, for a measurement: see `spread_team`."""
    allowed, cores, _ = _surroundings(root)
    return spread_team(allowed, cores, threads)


def take_cores(at_most: int, root: Path = ROOT) -> int:
    """For a command that computes: keep this process on the cores of the default team, and return
    how many threads to use. Call it before NumPy or PyTorch are imported."""
    team = default_team(at_most, root)
    settle(team)
    return team.threads


def choose_team(
    allowed_cpus: list[int],
    cores: list[Core],
    quota: float | None,
    at_most: int | None = None,
) -> Team:
    """One thread on every allowed core of one socket: the one with the most of them, since each
    step of a computation that spans sockets waits for the memory of the other.

    No more threads than `at_most`, nor than whole processors of the CPU quota: beyond it the kernel
    stops all threads in turn. Without known cores every allowed processor counts as one.
    """
    sockets = _by_socket(allowed_cpus, cores)
    socket, cpus = max(sockets.items(), key=lambda item: (len(item[1]), -item[0]))
    limits = [len(cpus), *([at_most] if at_most else [])]
    if quota is not None:
        limits.append(math.floor(quota))
    return Team(max(1, min(limits)), tuple(cpus), (socket,) if cores else ())


def spread_team(allowed_cpus: list[int], cores: list[Core], threads: int) -> Team:
    """So many threads, whatever the quota: on the cores of one socket while they suffice, then of
    several, then on all allowed processors, second hardware threads included."""
    sockets = _by_socket(allowed_cpus, cores)
    taken: list[int] = []
    cpus: list[int] = []
    for socket in sorted(sockets, key=lambda socket: (-len(sockets[socket]), socket)):
        if len(cpus) < threads:
            taken.append(socket)
            cpus += sockets[socket]
    if len(cpus) < threads:
        cpus = list(allowed_cpus)
    return Team(threads, tuple(sorted(cpus)), tuple(sorted(taken)) if cores else ())


def settle(team: Team, environment: Mapping[str, str] = os.environ) -> str | None:
    """Keep this process, and every thread it starts from now on, on the team's processors.

    Call it before NumPy or PyTorch start theirs. Returns why nothing was done, or None: the user
    placed the threads by an environment variable, or the system does not permit it.
    """
    if name := next((name for name in PLACED_BY_THE_USER if environment.get(name)), None):
        return f"{name} is set"
    if not hasattr(os, "sched_setaffinity"):
        return "this system binds no processes"
    try:
        if os.sched_getaffinity(0) != set(team.cpus):
            os.sched_setaffinity(0, team.cpus)
    except OSError as error:
        return f"binding is not permitted: {error.strerror}"
    return None


def _surroundings(root: Path) -> tuple[list[int], list[Core], float | None]:
    """Allowed processors, cores (none where hidden) and CPU quota."""
    cores = attempt(lambda: topology.find_cores(root))
    limits = attempt(lambda: cgroup.describe_cgroup(root))
    quota = None if is_unavailable(limits) else limits["cpu_quota"]
    return (
        cpu.allowed_cpus(root),
        [] if is_unavailable(cores) else cores,
        quota if isinstance(quota, int | float) else None,
    )


def _by_socket(allowed_cpus: list[int], cores: list[Core]) -> dict[int, list[int]]:
    """Socket -> the first allowed processor of each of its cores, as far as there is one."""
    allowed = set(allowed_cpus)
    sockets: dict[int, list[int]] = {}
    for core in cores:
        if usable := [cpu for cpu in core.cpus if cpu in allowed]:
            sockets.setdefault(core.socket, []).append(usable[0])
    return sockets or {0: sorted(allowed)}
