"""How many threads a computation should use here."""

import math
from pathlib import Path

from bertsquad.machine import cgroup, cpu, topology
from bertsquad.machine.reading import attempt, is_unavailable
from bertsquad.machine.topology import Core


def usable_cores(root: Path = Path("/")) -> int:
    """Physical cores that this process may use, at least 1."""
    allowed = cpu.allowed_cpus()
    cores = attempt(lambda: topology.read_cores(root))
    limits = attempt(lambda: cgroup.describe_cgroup(root))
    quota = None if is_unavailable(limits) else limits["cpu_quota"]
    return count_usable_cores(
        allowed,
        [] if is_unavailable(cores) else cores,
        quota if isinstance(quota, int | float) else None,
    )


def count_usable_cores(allowed_cpus: list[int], cores: list[Core], quota: float | None) -> int:
    """Cores with an allowed processor on them, at most the CPU quota (in processors).

    Hardware threads of a core share its multipliers, so a matrix product gains nothing from the
    second one. Where the cores are not known, every allowed processor counts as one.
    """
    allowed = set(allowed_cpus)
    count = sum(not allowed.isdisjoint(core.cpus) for core in cores) or len(allowed)
    return max(1, count if quota is None else min(count, math.floor(quota)))
