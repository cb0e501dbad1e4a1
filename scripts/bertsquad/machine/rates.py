"""How fast this machine multiplies matrices: as measured, else assumed from its instructions."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

# GFLOP/s of a core, by the first of these instructions that the processor has. Measured by
# benchmark/ceilings.py on Zen 3 (FP32 82, INT8 154) and Zen 4 (FP32 105, BF16 213); the rest are
# the units' widths beside those, at about 3 GHz.
_ASSUMED = {
    "fp32": {"avx512f": 105.0, "avx2": 82.0, "asimd": 50.0},
    "bf16": {"amx_bf16": 1000.0, "avx512_bf16": 210.0, "bf16": 150.0},
    "int8": {
        **{"amx_int8": 1600.0, "avx512_vnni": 400.0, "avx_vnni": 250.0, "i8mm": 300.0},
        **{"asimddp": 150.0, "avx2": 150.0},
    },
}
_MOST_CORES = 100_000  # of a machine, by far
_SLOWEST = 20.0  # of FP32, without any of these
# How far the machine's best is from these numbers.
_MEASURED_BAND = (0.9, 1.0)
_ASSUMED_BAND = (0.7, 1.3)
_EMULATED = (0.3, 1.0)  # of FP32's rate: what a precision costs that the processor lacks


@dataclass(frozen=True, slots=True)
class Rates:
    """GFLOP/s in products of each precision that the processor has, on `cores` cores."""

    gflops: Mapping[str, float]
    cores: int
    measured: bool

    def band(self, precision: str, threads: int) -> tuple[float, float]:
        """The least and the most GFLOP/s that `threads` of the cores reach; more than there are
        reach no more."""
        part = min(threads, self.cores) / self.cores
        low, high = _MEASURED_BAND if self.measured else _ASSUMED_BAND
        if precision not in self.gflops:
            low, high, precision = low * _EMULATED[0], high * _EMULATED[1], "fp32"
        best = self.gflops[precision] * part
        return low * best, high * best

    @property
    def words(self) -> str:
        """`430 GFLOP/s in bf16, 210 in fp32`."""
        rates = sorted(self.gflops.items(), key=lambda item: -item[1])
        return ", ".join(
            f"{rate:,.0f}{'' if place else ' GFLOP/s'} in {name}"
            for place, (name, rate) in enumerate(rates)
        )


def assumed(flags: Collection[str], cores: int) -> Rates:
    """By the processor's instructions alone."""
    gflops = {
        precision: cores * next(rate for flag, rate in known.items() if flag in flags)
        for precision, known in _ASSUMED.items()
        if any(flag in flags for flag in known)
    }
    return Rates({"fp32": cores * _SLOWEST} | gflops, cores, measured=False)


def measured(ceilings: Mapping[str, Any]) -> Rates:
    """By a ceilings.json; one of `own_json.OTHER_SHAPE` where it is none."""
    gflops = {
        precision: float(found["gflops"])
        for precision, found in ceilings["gemm"].items()
        if found["native"] and found["gflops"]
    }
    if "fp32" not in gflops:
        raise ValueError("no rate of fp32")
    cores = int(ceilings["threads"])
    if not 1 <= cores <= _MOST_CORES or not all(0 < rate < math.inf for rate in gflops.values()):
        raise ValueError(f"rates of {cores} threads that no machine has")
    return Rates(gflops, cores, measured=True)
