"""Keeping a process to its cores and its memory."""

import os
import platform
import sys
from collections.abc import Iterable

from bertsquad.machine import trial


def bind_cpus(cpus: Iterable[int]) -> str | None:
    """Run the calling thread, and threads it starts later, on these logical processors alone.

    Returns why not, in one line, or None.
    """
    if not hasattr(os, "sched_setaffinity"):
        return f"CPU binding is not possible: {platform.system()} has no call for it"
    try:
        os.sched_setaffinity(0, cpus)
    except OSError as error:
        return f"CPU binding is not permitted: {error.strerror}"
    return None


def bind_memory(nodes: Iterable[int]) -> str | None:
    """Take memory from these NUMA nodes alone from now on; returns why not, or None."""
    if sys.platform != "linux" or platform.machine() not in trial.SET_MEMPOLICY:
        return f"memory binding is not possible: not known how on {platform.machine()}"
    try:
        trial.bind_memory(list(nodes))
    except OSError as error:
        return (
            f"memory binding is not permitted: {error.strerror}; in a container, allow it with "
            "--cap-add SYS_NICE or --security-opt seccomp=unconfined"
        )
    return None
