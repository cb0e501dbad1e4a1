"""How many threads a computation should use here, and on which processors."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from bertsquad.machine.binding import bind_cpus
from bertsquad.machine.cores import Cores, read_cores
from bertsquad.machine.reading import format_cpu_list

# Where a user has placed the threads of OpenMP by one of these, we do not.
_PLACED_BY_THE_USER = (
    *("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY", "KMP_HW_SUBSET"),
)


@dataclass(frozen=True, slots=True)
class Threads:
    """How many threads one process has, and the processors it should run on: of every core that it
    may use one hardware thread, since the others of a core share its multipliers and add nothing.
    """

    count: int
    cpus: tuple[int, ...]  # at least `count`, unless more were demanded than there are
    sockets: tuple[int, ...]  # empty where the machine does not tell

    def __str__(self) -> str:
        count = f"{self.count} thread{'s' if self.count != 1 else ''}"
        where = f"processor{'s' if len(self.cpus) != 1 else ''} {format_cpu_list(list(self.cpus))}"
        if not self.sockets:
            return f"{count} on {where}"
        sockets = f"socket{'s' if len(self.sockets) != 1 else ''}"
        return f"{count} on {where} of {sockets} {format_cpu_list(list(self.sockets))}"


def take_cores(at_most: int) -> int:
    """For a command that computes: keep this process on the cores where it computes fastest, and
    return how many threads to use. `at_most` is what a scheduler gave (Snakemake's {threads}), in
    logical processors. Call it before NumPy or PyTorch are imported."""
    threads = choose_threads(read_cores(), at_most)
    bind(threads)
    return threads.count


def choose_threads(cores: Cores, at_most: int | None = None) -> Threads:
    """One thread on every allowed core of one socket: the one with the most of them, since each
    step of a computation that spans sockets waits for the memory of the other.

    No more threads than `at_most`, nor than whole processors of the CPU quota: beyond it the kernel
    stops all threads in turn. Without known cores every allowed processor counts as one.
    """
    sockets = cores.by_socket()
    socket, cpus = max(sockets.items(), key=lambda item: (len(item[1]), -item[0]))
    limits = [limit for limit in (at_most, cores.whole_quota) if limit]
    return Threads(min([len(cpus), *limits]), tuple(cpus), (socket,) if cores.all_cores else ())


def spread_threads(cores: Cores, count: int) -> Threads:
    """Exactly so many threads, for a measurement, whatever the quota: on the cores of one socket
    while they suffice, then of several, then on all allowed processors, second hardware threads
    included."""
    sockets = cores.by_socket()
    taken: list[int] = []
    cpus: list[int] = []
    for socket in sorted(sockets, key=lambda socket: (-len(sockets[socket]), socket)):
        if len(cpus) < count:
            taken.append(socket)
            cpus += sockets[socket]
    if len(cpus) < count:
        cpus = list(cores.allowed_cpus)
    return Threads(count, tuple(sorted(cpus)), tuple(sorted(taken)) if cores.all_cores else ())


def bind(threads: Threads, environment: Mapping[str, str] = os.environ) -> str | None:
    """Keep this process, and every thread it starts from now on, on these processors.

    Call it before NumPy or PyTorch start theirs. Returns why nothing was done, or None: the user
    placed the threads by an environment variable, or the system does not permit it.
    """
    if name := next((name for name in _PLACED_BY_THE_USER if environment.get(name)), None):
        return f"{name} is set"
    return bind_cpus(threads.cpus)
