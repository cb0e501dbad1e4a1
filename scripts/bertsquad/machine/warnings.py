"""What on this machine would spoil a run or a measurement, each with what to do about it."""

from typing import Any

from bertsquad.machine.reading import is_unavailable

# One busy thread elsewhere stalls every parallel loop of ours, on any number of cores; below
# half a thread it is background noise.
BUSY_LOAD = 0.5


def warnings(machine: dict[str, Any], *, amx_is_off: bool = False) -> list[str]:
    """One sentence each, from the description of a machine (`description.describe`)."""
    checks = (
        _emulated_bf16(machine),
        _amx(amx_is_off),
        _cpu_quota(machine),
        _busy(machine),
        _governor(machine),
    )
    return [message for message in checks if message]


def _emulated_bf16(machine: dict[str, Any]) -> str | None:
    if machine["bf16_native"] is not False:
        return None
    return (
        "BF16 is emulated: this processor has none of avx512_bf16, amx_bf16 or ARM's bf16, so BF16 "
        "runs slower than FP32 here and its timings say nothing about processors that have them; "
        "use fp32 for speed"
    )


def _amx(is_off: bool) -> str | None:
    if not is_off:
        return None
    return (
        "AMX is not enabled: this processor has it but the kernel or hypervisor hides it; Linux "
        "5.16 or newer is needed, and on a virtual machine a host that passes amx_tile on"
    )


def _cpu_quota(machine: dict[str, Any]) -> str | None:
    limits = machine["cgroup"]
    if is_unavailable(limits) or not isinstance(limits["cpu_quota"], int | float):
        return None
    quota, allowed = limits["cpu_quota"], len(machine["allowed_cpus"])
    if quota >= allowed:
        return None
    return (
        f"the cgroup's CPU quota is {quota:g} processors but {allowed} are visible: more than "
        f"{max(1, int(quota))} threads will be stopped in turn by the kernel and latency will "
        "jump; use fewer threads, or a cpuset in place of a quota (docker --cpuset-cpus)"
    )


def _busy(machine: dict[str, Any]) -> str | None:
    load = machine["load_average"]
    if is_unavailable(load) or load[0] <= BUSY_LOAD:
        return None
    return (
        f"the machine was busy: load average {load[0]:g} in the minute before the probe (this "
        "workflow's own jobs count too); a measurement needs the machine alone"
    )


def _governor(machine: dict[str, Any]) -> str | None:
    governor = machine["governor"]
    if is_unavailable(governor) or governor == "performance":
        return None
    return (
        f"the clock follows the load (governor {governor}): the first seconds of a measurement run "
        "slower; choose `performance` for benchmarks (cpupower frequency-set -g performance)"
    )
