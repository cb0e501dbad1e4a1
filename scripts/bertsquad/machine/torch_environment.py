"""Settings of the libraries under PyTorch that count from their first use on."""

import ctypes
import os

# How long OpenMP's threads wait for each other by spinning. The default, 300,000, is as fast on an
# idle machine (7 % faster where a batch takes a millisecond, which a benchmark may measure), but
# where other processes want the cores, threads spin while those they wait for cannot run: on 2
# cores with 2 other processes, training took 1.5 to 10 times as long, inference 2 to 15 times.
WAITING = {"GOMP_SPINCOUNT": "3000"}

# PyTorch asks for huge pages for tensors from 2 MiB up. On one core of Zen 3, whose system gives
# them to who asks, 3 to 4 % more throughput in FP32 inference of a small encoder.
_MEMORY = {"THP_MEM_ALLOC_ENABLE": "1"}

# Of malloc.h. By default glibc takes every large tensor from the kernel, page by page, and gives it
# back when it is freed. Kept, one activation's pages are the next one's. None is mapped by itself,
# none given back, and all threads share one arena, since those of their own hold 64 MiB at most.
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
KEEP_MEMORY = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: -1, M_ARENA_MAX: 1}

# By one of these a user has chosen how memory is allocated, perhaps by another library's malloc.
_CHOSEN_BY_THE_USER = ("GLIBC_TUNABLES", "LD_PRELOAD")


def prepare() -> None:
    """Call before the first `import torch` of a process; what the user has set stays."""
    set_defaults(WAITING)
    keep_memory()


def keep_memory() -> None:
    """The part of `prepare` that concerns memory: faster whatever is measured."""
    set_defaults(_MEMORY)
    set_by_user = any(name in os.environ for name in _CHOSEN_BY_THE_USER)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's; others may lack it
    if mallopt and not set_by_user and not any(n.startswith("MALLOC_") for n in os.environ):
        for parameter, value in KEEP_MEMORY.items():
            mallopt(parameter, value)


def set_defaults(variables: dict[str, str]) -> None:
    for name, value in variables.items():
        os.environ.setdefault(name, value)
