"""Keeping a process to its cores and its memory."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterable

# set_mempolicy(2): its number by machine, and the policy "from these nodes alone".
SET_MEMPOLICY = {"x86_64": 238, "aarch64": 237}
MPOL_BIND = 2


def bind_cpus(cpus: Iterable[int]) -> str | None:
    """Run the calling thread, and threads it starts later, on these logical processors alone.

    Returns why not, in one line, or None.
    """
    if not hasattr(os, "sched_setaffinity"):
        return f"processes are not bound to cores: {platform.system()} has no call for it"
    try:
        os.sched_setaffinity(0, cpus)
    except OSError as error:
        return f"processes are not bound to cores: sched_setaffinity: {error.strerror}"
    return None


def bind_memory(nodes: Iterable[int]) -> str | None:
    """Take memory from these NUMA nodes alone from now on; returns why not, or None."""
    numbers = sorted(nodes)
    call = SET_MEMPOLICY.get(platform.machine())
    if sys.platform != "linux" or call is None:
        return f"memory is not bound to NUMA nodes: not known how on {platform.machine()}"
    bits = ctypes.sizeof(ctypes.c_ulong) * 8
    mask = (ctypes.c_ulong * (numbers[-1] // bits + 1))()
    for number in numbers:
        mask[number // bits] |= 1 << number % bits
    libc = ctypes.CDLL(None, use_errno=True)
    # The kernel takes `maxnode` as one more than the bits it reads.
    size = ctypes.c_ulong(len(mask) * bits + 1)
    if libc.syscall(ctypes.c_long(call), ctypes.c_long(MPOL_BIND), mask, size) == 0:
        return None
    return (
        f"memory is not bound to NUMA nodes: set_mempolicy: {os.strerror(ctypes.get_errno())}; in "
        "a container, allow it with --cap-add SYS_NICE or --security-opt seccomp=unconfined"
    )
