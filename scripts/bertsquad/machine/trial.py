"""What the kernel lets a process do, found out by doing it. Run as a program, in a process of its
own, since what succeeds stays in force: it prints JSON, `{"cpu": null, "memory": "Operation not
permitted", "amx": null}`, null for what is permitted.

System call numbers and constants: Linux, asm/unistd.h, linux/mempolicy.h, asm/prctl.h. It imports
nothing of the library, so that Python starts in 15 ms.
"""

import ctypes
import json
import os
import platform
from collections.abc import Callable

SET_MEMPOLICY = {"x86_64": 238, "aarch64": 237, "riscv64": 237, "ppc64le": 261, "s390x": 270}
_MPOL_BIND = 2
_ARCH_PRCTL = 158  # x86_64 alone
_ARCH_REQ_XCOMP_PERM = 0x1023
_XFEATURE_XTILEDATA = 18
_MOST_NODES = 1024  # the kernel's largest CONFIG_NODES_SHIFT is 10


def bind_cpu() -> None:
    """To the first processor that is allowed anyway."""
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])


def bind_memory(nodes: list[int]) -> None:
    """Take memory from these NUMA nodes alone from now on; OSError where that is refused."""
    bits = 8 * ctypes.sizeof(ctypes.c_ulong)
    mask = (ctypes.c_ulong * (_MOST_NODES // bits))()
    for node in nodes:
        mask[node // bits] |= 1 << (node % bits)
    call(SET_MEMPOLICY[platform.machine()], _MPOL_BIND, mask, ctypes.c_ulong(_MOST_NODES + 1))


def request_amx() -> None:
    """The permission to use tile registers, which Linux 5.16 and newer give on request."""
    call(_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM, ctypes.c_ulong(_XFEATURE_XTILEDATA))


def call(number: int, *arguments: object) -> None:
    """A system call; OSError where it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(number), *arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def allowed_nodes() -> list[int]:
    """Mems_allowed_list of /proc/self/status: `0-1,3`."""
    with open("/proc/self/status", encoding="utf-8") as status:
        [line] = [line for line in status if line.startswith("Mems_allowed_list:")]
    nodes: list[int] = []
    for part in line.split(":")[1].strip().split(","):
        first, _, last = part.partition("-")
        nodes.extend(range(int(first), int(last or first) + 1))
    return nodes


def outcome(attempt: Callable[[], None]) -> str | None:
    """None where it succeeds, else why not."""
    try:
        attempt()
    except OSError as error:
        return error.strerror
    except (AttributeError, KeyError, ValueError) as error:
        return f"not on this system ({type(error).__name__} {error})"
    return None


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "amx": outcome(request_amx) if platform.machine() == "x86_64" else "not x86",
                "memory": outcome(lambda: bind_memory(allowed_nodes())),
                "cpu": outcome(bind_cpu),
            }
        )
    )
