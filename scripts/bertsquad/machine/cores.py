"""The cores that this process may compute on: read once, then chosen from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertsquad.machine import cgroup, cpu, topology
from bertsquad.machine.reading import attempt, is_unavailable
from bertsquad.machine.topology import ROOT, Core


@dataclass(frozen=True, slots=True)
class Cores:
    """What is allowed and how it is laid out; empty or None where the machine hides it."""

    allowed_cpus: Sequence[int]  # logical processors
    all_cores: Sequence[Core] = ()  # of the machine, allowed or not
    quota: float | None = None  # processors that the control group may keep busy; may be a fraction
    numa_nodes: Mapping[int, Sequence[int]] = field(default_factory=dict)  # node -> its processors
    memory_nodes: Sequence[int] = ()  # NUMA nodes that memory may be taken from

    @property
    def whole_quota(self) -> int | None:
        """The quota in whole processors, at least 1; None without one."""
        return None if self.quota is None else max(1, int(self.quota))

    def by_socket(self) -> dict[int, list[int]]:
        """Socket -> the first allowed processor of each of its cores, as far as there is one.

        One stands for the core, since hardware threads of a core share its multipliers. Where cores
        are hidden, every allowed processor counts as one, of socket 0.
        """
        allowed = set(self.allowed_cpus)
        sockets: dict[int, list[int]] = {}
        for core in self.all_cores:
            if usable := sorted(allowed.intersection(core.cpus)):
                sockets.setdefault(core.socket, []).append(usable[0])
        return sockets or {0: sorted(allowed)}


def read_cores(root: Path = ROOT) -> Cores:
    """The cores of this process. OSError or LookupError where the allowed processors are hidden."""
    return from_readings(
        cpu.allowed_cpus(root),
        attempt(lambda: topology.find_cores(root)),
        attempt(lambda: cgroup.describe_cgroup(root)),
        attempt(lambda: topology.read_numa_nodes(root)),
        attempt(lambda: topology.allowed_memory_nodes(root)),
    )


def from_readings(
    allowed_cpus: Sequence[int], all_cores: Any, limits: Any, numa_nodes: Any, memory_nodes: Any
) -> Cores:
    """Cores from what was read, any of it but the first `unavailable`; `limits`: of the cgroup."""
    quota = None if is_unavailable(limits) else limits["cpu_quota"]
    return Cores(
        allowed_cpus,
        () if is_unavailable(all_cores) else all_cores,
        None if is_unavailable(quota) else quota,
        {} if is_unavailable(numa_nodes) else numa_nodes,
        () if is_unavailable(memory_nodes) else memory_nodes,
    )
