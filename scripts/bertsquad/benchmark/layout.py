"""Layouts: how many processes serve, how many requests each has under way, threads for one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bertsquad.console.errors import UserError
from bertsquad.distributed.placement import usable_nodes
from bertsquad.machine.cores import Cores
from bertsquad.machine.threads import choose_threads

AUTO = "auto"  # one request at a time, on all cores of a socket
_FORM = re.compile(r"([1-9]\d{0,3})x([1-9]\d{0,3})x([1-9]\d{0,3})")


@dataclass(frozen=True, slots=True)
class Layout:
    """Instances share nothing; streams of an instance share its weights."""

    instances: int
    streams: int  # requests under way in each instance
    threads: int  # for one request

    def __str__(self) -> str:
        return f"{self.instances}x{self.streams}x{self.threads}"

    @property
    def lanes(self) -> int:
        """Requests under way at once."""
        return self.instances * self.streams

    @property
    def cores(self) -> int:
        return self.lanes * self.threads


@dataclass(frozen=True, slots=True)
class InstancePlace:
    """Where one instance computes."""

    cpus: tuple[int, ...]  # a logical processor of each of its cores
    memory_nodes: tuple[int, ...]  # whose memory it takes; empty: not bound


def read_layout(text: str, cores: Cores, at_most: int | None = None) -> Layout:
    """A layout as the configuration writes it, 2x1x1 or auto. UserError for another text, and for
    more cores than this process may use."""
    if text == AUTO:
        return Layout(1, 1, choose_threads(cores, at_most).count)
    match = _FORM.fullmatch(text)
    if match is None:
        raise UserError(
            f"layout is {text!r}; expected instances x streams x threads, as 2x1x1, or {AUTO}"
        )
    layout = Layout(*map(int, match.groups()))
    physical = sum(len(node.cpus) for node in usable_nodes(cores))
    usable = min([physical, *(limit for limit in (at_most, cores.whole_quota) if limit)])
    if layout.cores > usable:
        limited = "" if usable == physical else ", limited by --cores or a quota"
        raise UserError(
            f"layout {text} takes {layout.cores} cores, but this process may use {usable} "
            f"({physical} physical cores{limited}); take a smaller layout, or {AUTO}"
        )
    return layout


def deal(layout: Layout, cores: Cores) -> list[InstancePlace]:
    """Cores for each instance, no core twice, in order of the NUMA nodes: an instance spans nodes
    only where those with room for a whole one are used up. There are enough cores."""
    width = layout.streams * layout.threads
    whole: list[InstancePlace] = []
    rest: list[tuple[int, int | None]] = []  # processor, the node to take memory from
    for node in usable_nodes(cores):
        number = node.number if node.memory else None
        for start in range(0, len(node.cpus) - width + 1, width):
            nodes = () if number is None else (number,)
            whole.append(InstancePlace(node.cpus[start : start + width], nodes))
        rest += [(cpu, number) for cpu in node.cpus[len(node.cpus) // width * width :]]
    while len(whole) < layout.instances:
        part, rest = rest[:width], rest[width:]
        numbers = sorted({number for _, number in part if number is not None})
        whole.append(InstancePlace(tuple(cpu for cpu, _ in part), tuple(numbers)))
    return whole[: layout.instances]
