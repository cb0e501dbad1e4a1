"""On which cores, and in which memory, each process of a host computes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from bertsquad.console.errors import UserError
from bertsquad.machine.cores import Cores

# From this many cores on, a process leaves one to communication by itself. With fewer, the core
# does more good computing: summing BERT-Large's gradients costs one core less than a second a
# step, computing them costs a core minutes.
_COMMUNICATION_CORE_FROM = 8


@dataclass(frozen=True, slots=True)
class Node:
    """A NUMA node as far as this job may use it."""

    number: int | None  # None: the system does not tell nodes apart
    cpus: tuple[int, ...]  # one allowed logical processor for each physical core
    memory: bool  # whether its memory may be used


@dataclass(frozen=True, slots=True)
class Place:
    """What one process gets."""

    cpus: tuple[int, ...]  # logical processors, each on a physical core of its own
    communication_cpus: tuple[int, ...]  # for communication alone; empty: it shares `cpus`
    memory_nodes: tuple[int, ...]  # whose memory it takes; empty: not bound
    threads: int  # that compute


def usable_nodes(cores: Cores) -> list[Node]:
    """The nodes with a core that this process may use, by number; at least one.

    Nodes that hold memory alone are left out.
    """
    first = sorted(cpu for cpus in cores.by_socket().values() for cpu in cpus)
    nodes = []
    for number, cpus in sorted(cores.numa_nodes.items()):
        usable = tuple(one for one in first if one in cpus)
        bindable = number in cores.memory_nodes and len(cores.memory_nodes) > 1
        if usable:
            nodes.append(Node(number, usable, bindable))
    if sum(len(node.cpus) for node in nodes) != len(first):  # some core is in no node
        return [Node(None, tuple(first), False)]
    return nodes


def place(
    nodes: list[Node],
    processes: int | None = None,
    *,
    limit: int | None = None,
    communication_cores: int | None = None,
) -> list[Place]:
    """A place for each process of this host, in the order of their ranks.

    `processes` None means one a node. Processes never share a core, and none spans two nodes
    unless there are more nodes than processes; nodes get processes in proportion to their cores.
    `limit`: at most this many cores are kept busy, communication included; where it binds, a
    process may still run on any core of its part. `communication_cores` of each process compute
    nothing; None means one from _COMMUNICATION_CORE_FROM cores on.

    UserError where there are fewer cores than that takes.
    """
    cores = sum(len(node.cpus) for node in nodes)
    usable = cores if limit is None else min(cores, limit)
    if processes is None:
        processes = min(len(nodes), usable)
    if processes > usable:
        raise UserError(
            f"{processes} processes need as many cores, but this job may use {usable} "
            f"({cores} physical cores{'' if usable == cores else ', limited by threads or a quota'}"
            f"); ask for {usable} or fewer, or for auto"
        )
    return [
        _one_place(part, usable // processes, communication_cores, alone=processes == 1)
        for part in _parts(nodes, processes)
    ]


def _parts(nodes: list[Node], processes: int) -> list[list[Node]]:
    """The nodes cut into one part for each process: whole nodes, or pieces of one node."""
    count = len(nodes)
    if processes <= count:
        bounds = [number * count // processes for number in range(processes + 1)]
        return [nodes[a:b] for a, b in pairwise(bounds)]
    shares = [1] * count
    for _ in range(processes - count):
        sizes = [len(node.cpus) / (share + 1) for node, share in zip(nodes, shares, strict=True)]
        shares[sizes.index(max(sizes))] += 1
    cut = []
    for node, share in zip(nodes, shares, strict=True):
        bounds = [number * len(node.cpus) // share for number in range(share + 1)]
        for a, b in pairwise(bounds):
            cut.append([Node(node.number, node.cpus[a:b], node.memory)])
    return cut


def _one_place(part: list[Node], budget: int, communication: int | None, *, alone: bool) -> Place:
    cpus = tuple(number for node in part for number in node.cpus)
    budget = min(budget, len(cpus))
    if communication is None:
        communication = int(budget >= _COMMUNICATION_CORE_FROM and not alone)
    if communication >= budget:
        raise UserError(
            f"{communication} communication cores of each process leave none to compute with: a "
            f"process has {budget} here; keep {budget - 1} or fewer, or start fewer processes"
        )
    computing = len(cpus) - communication
    return Place(
        cpus=cpus[:computing],
        communication_cpus=cpus[computing:],
        memory_nodes=tuple(node.number for node in part if node.memory and node.number is not None),
        threads=budget - communication,
    )
