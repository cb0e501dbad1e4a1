"""The clock rate of processors, where the system tells it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from bertsquad.machine.reading import attempt, read_text


def megahertz(cpus: Iterable[int], root: Path = Path("/")) -> Any:
    """The mean clock of these logical processors now, MHz (cpufreq); unavailable in most virtual
    machines."""
    return attempt(partial(_read, list(cpus), root))


def _read(cpus: list[int], root: Path) -> float:
    paths = [root / f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq" for cpu in cpus]
    clocks = [int(read_text(path)) / 1000 for path in paths]
    if not clocks:
        raise LookupError("no processors")
    return sum(clocks) / len(clocks)
