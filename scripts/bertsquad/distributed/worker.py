"""What one of several processes learns from the environment, before PyTorch is imported."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsquad.machine import binding

# JSON: for each process of this host, where it computes (the fields of placement.Place). Set by
# scripts/distribute.py; a torchrun started by hand may leave it out.
PLACES_VARIABLE = "BERTSQUAD_PLACES"

# The name of this host in messages; empty where there is only one.
HOST_VARIABLE = "BERTSQUAD_HOST"

# A process leaves with this status when it can no longer reach the others (EX_TEMPFAIL).
LOST_CONTACT_STATUS = 75

_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True)
class Worker:
    """This process among the others."""

    rank: int
    size: int
    local_rank: int
    host: str
    threads: int | None = None  # None: not placed
    cpus: tuple[int, ...] = ()
    communication_cpus: tuple[int, ...] = ()
    memory_nodes: tuple[int, ...] = ()

    def settle(self) -> list[str]:
        """Bind this process to its memory and its cores; what could not be done, a line each."""
        die_with_parent()
        notices = []
        if self.memory_nodes:
            notices.append(binding.bind_memory(self.memory_nodes))
        if self.cpus:
            notices.append(binding.bind_cpus(self.cpus))
        return [notice for notice in notices if notice]


def was_distributed(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether scripts/distribute.py, or a torchrun, has started this process."""
    return PLACES_VARIABLE in environment or is_worker(environment)


def is_worker(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether torchrun has started this process: others set RANK, too, but not this."""
    return "TORCHELASTIC_RUN_ID" in environment


def read_worker(environment: Mapping[str, str] = os.environ) -> Worker:
    """This process, by the variables of torchrun and of scripts/distribute.py."""
    rank, size, local_rank = (
        int(environment[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    )
    host = environment.get(HOST_VARIABLE, "")
    places = json.loads(environment.get(PLACES_VARIABLE, "[]"))
    if not places:
        return Worker(rank, size, local_rank, host)
    place: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in places[local_rank].items()
    }
    return Worker(rank, size, local_rank, host, **place)


def die_with_parent() -> None:
    """Be killed when the process that started this one ends, however it ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
