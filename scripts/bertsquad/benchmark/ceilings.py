"""What this machine can do at best, measured: products at BERT-Large's shapes, and memory.

A measured engine is compared with these, taken on the same machine in the same run, and not with a
data sheet: clock rates, neighbours and libraries are then the same for both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from bertsquad.benchmark.gemm_paths import PATHS, Multiply, Shape
from bertsquad.engines import native

# Rates are flat from 384 to 4,096 rows; with 12,288 fresh pages of the outputs cost 10 to 25 %. The
# fewer rows, the more samples fit into the time, and the surer one of them is undisturbed.
ROWS = 512
# An emulated product may take a hundred times as long; its rate hardly depends on the rows.
EMULATED_ROWS = 256
# The linear layers of a BERT-Large layer, query, key and value in one: inputs, outputs.
LAYER = ((1024, 3072), (1024, 1024), (1024, 4096), (4096, 1024))

# A path below this on one thread is a reference kernel; at full size it would take minutes.
_TRIAL = Shape(16, 256, 256)
_REFERENCE_GFLOPS = 1.0
_SKIP_IF_SLOWER_THAN = 8  # times the fastest path's first run
_CLEARLY_SLOWER = 1.25  # by the best of ROUNDS samples; such a path only takes the others' time
ROUNDS = 3  # at least, whatever the time
ARRAY_MIB = 256  # larger than a last-level cache that two cores get a share of

_Clock = Callable[[], float]


def measure_ceilings(
    threads: int, seconds_per_point: float = 1.0, *, clock: _Clock = time.perf_counter
) -> dict[str, Any]:
    """The ceilings of this process on `threads` threads, which stay PyTorch's afterwards.

    `gemm` holds for every precision `native` (False: emulated, so no ceiling of that precision),
    `gflops`, the rate of a layer's four products each by its fastest path, `gflops_median` from the
    medians of the same paths, and `shapes` with every path's samples; a precision without any path
    has `gflops` None and its reason in `left_out`. `memory` holds GB/s of reading and of
    copying (bytes read and written), GB = 10^9. A point, a product of one precision or one kind of
    memory access, takes about `seconds_per_point`; emulated ones a quarter.
    """
    start = clock()
    gemm = {
        precision: measure_ceiling(precision, threads, seconds_per_point, clock=clock)
        for precision in PATHS
    }
    with torch.inference_mode():
        memory = _measure_memory(seconds_per_point, clock)
    return {"threads": threads, "gemm": gemm, "memory": memory, "seconds": clock() - start}


def measure_ceiling(
    precision: str, threads: int, seconds_per_point: float, *, clock: _Clock = time.perf_counter
) -> dict[str, Any]:
    """The entry of one precision in `gemm` of `measure_ceilings`."""
    with torch.inference_mode():
        usable, left_out = tried_paths(precision, threads, clock)
        return measure_precision(usable, left_out, native(precision), seconds_per_point, clock)


def tried_paths(
    precision: str, threads: int, clock: _Clock
) -> tuple[dict[str, Callable[[Shape], Multiply]], dict[str, str]]:
    """`usable_paths` of a precision, tried on one thread; `threads` are PyTorch's afterwards."""
    torch.set_num_threads(1)  # no thread waits for another: a busy machine fails no trial
    found = usable_paths(PATHS[precision], clock)
    torch.set_num_threads(threads)
    return found


def measure_precision(
    paths: Mapping[str, Callable[[Shape], Multiply]],
    left_out: Mapping[str, str],
    is_native: bool,
    seconds: float,
    clock: _Clock,
) -> dict[str, Any]:
    """The four products of a layer in one precision."""
    rows, seconds = (ROWS, seconds) if is_native else (EMULATED_ROWS, seconds / 4)
    entry = {"native": is_native, "rows": rows, "left_out": dict(left_out)}
    if not paths:
        return entry | {"gflops": None, "gflops_median": None, "shapes": {}}
    shapes = [Shape(rows, *sizes) for sizes in LAYER]
    points = {
        f"{shape.inputs}x{shape.outputs}": measure_shape(paths, shape, seconds, clock)
        for shape in shapes
    }
    flops = sum(shape.flops for shape in shapes) / 1e9
    return entry | {
        "gflops": flops / sum(point["best_s"] for point in points.values()),
        "gflops_median": flops / sum(point["median_s"] for point in points.values()),
        "shapes": points,
    }


def usable_paths(
    paths: Mapping[str, Callable[[Shape], Multiply]], clock: _Clock
) -> tuple[dict[str, Callable[[Shape], Multiply]], dict[str, str]]:
    """The paths that work here at a usable speed, and why the others are left out."""
    usable, left_out = {}, {}
    for name, make in paths.items():
        try:
            multiply = make(_TRIAL)
            seconds = min(timed(multiply, clock) for _ in range(ROUNDS))
        except RuntimeError as error:
            left_out[name] = str(error).splitlines()[0]
            continue
        rate = _TRIAL.flops / 1e9 / seconds
        if rate < _REFERENCE_GFLOPS:
            left_out[name] = f"a reference kernel: {rate:.2g} GFLOP/s"
        else:
            usable[name] = make
    return usable, left_out


def measure_shape(
    paths: Mapping[str, Callable[[Shape], Multiply]], shape: Shape, seconds: float, clock: _Clock
) -> dict[str, Any]:
    """Every path's rates, and the seconds of the fastest."""
    samples = sample({name: make(shape) for name, make in paths.items()}, seconds, clock)
    fastest = min(samples, key=lambda name: min(samples[name]))
    return {
        "path": fastest,
        "best_s": min(samples[fastest]),
        "median_s": statistics.median(samples[fastest]),
        "paths": {name: _rates(taken, shape.flops, "gflops") for name, taken in samples.items()},
    }


def _measure_memory(seconds: float, clock: _Clock) -> dict[str, Any]:
    """Reading one large array, and copying it to another, by all threads."""
    source = torch.ones(ARRAY_MIB * 2**18)
    target = torch.zeros_like(source)
    read = sample({"read": lambda: source.sum()}, seconds, clock)["read"]
    copied = sample({"copy": lambda: target.copy_(source)}, seconds, clock)["copy"]
    return {
        "array_mib": ARRAY_MIB,
        "read": _rates(read, source.nbytes, "gb_per_s"),
        "copy": _rates(copied, 2 * source.nbytes, "gb_per_s"),
    }


def sample(
    calls: Mapping[str, Callable[[], object]], seconds: float, clock: _Clock
) -> dict[str, list[float]]:
    """Seconds of every call, in turns, so that other programs disturb all alike. The first call of
    each is counted only where the path is too slow to be sampled further; after ROUNDS rounds those
    that are clearly slower than the fastest are left alone."""
    taken = {name: [timed(call, clock)] for name, call in calls.items()}
    bound = _SKIP_IF_SLOWER_THAN * min(first for [first] in taken.values())
    going = {name: call for name, call in calls.items() if taken[name][0] <= bound}
    taken |= {name: [] for name in going}
    start, rounds = clock(), 0
    while rounds < ROUNDS or clock() - start < seconds:
        for name, call in going.items():
            taken[name].append(timed(call, clock))
        rounds += 1
        if rounds == ROUNDS:
            bound = _CLEARLY_SLOWER * min(min(taken[name]) for name in going)
            going = {name: call for name, call in going.items() if min(taken[name]) <= bound}
    return taken


def timed(call: Callable[[], object], clock: _Clock) -> float:
    start = clock()
    call()
    return clock() - start


def _rates(seconds: list[float], amount: float, unit: str) -> dict[str, Any]:
    """Rates in 10^9 per second: `<unit>`, the best; its median and worst; how many samples."""
    each = sorted(amount / 1e9 / taken for taken in seconds)
    return {
        unit: each[-1],
        f"{unit}_median": statistics.median(each),
        f"{unit}_worst": each[0],
        "samples": len(each),
    }
