"""machine.json: everything about this machine that a measurement depends on."""

import platform
from pathlib import Path
from typing import Any

from bertsquad.machine import cgroup, cpu, kernel, memory, topology
from bertsquad.machine.reading import attempt, is_unavailable
from bertsquad.machine.versions import versions
from bertsquad.machine.warnings import warnings

ROOT = Path("/")


def describe(
    root: Path = ROOT,
    *,
    allowed_cpus: list[int] | None = None,
    load_average: list[float] | None = None,
) -> dict[str, Any]:
    """What machine.json holds. Never fails: what cannot be read is `{"unavailable": reason}`.

    `root` is where /proc, /sys and /etc are found; the other two are this process's by default.
    """
    info = attempt(lambda: cpu.read_cpu(root))
    known = isinstance(info, cpu.CpuInfo)
    machine = {
        "cpu": describe_cpu(info, root),
        "memory_mib": attempt(lambda: memory.machine_memory_mib(root)),
        "allowed_cpus": cpu.allowed_cpus() if allowed_cpus is None else allowed_cpus,
        "cgroup": attempt(lambda: cgroup.describe_cgroup(root)),
        "kernel": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "operating_system": attempt(lambda: kernel.operating_system(root)),
        "governor": attempt(lambda: kernel.frequency_governor(root)),
        "turbo": attempt(lambda: kernel.turbo(root)),
        "transparent_huge_pages": attempt(lambda: kernel.transparent_huge_pages(root)),
        "load_average": attempt(kernel.load_average) if load_average is None else load_average,
        "versions": versions() | {"libc": " ".join(platform.libc_ver()).strip() or "unknown"},
        "bf16_native": cpu.has_native_bf16(info.flags) if known else info,
    }
    return machine | {"warnings": warnings(machine, amx_is_off=known and cpu.lacks_its_amx(info))}


def describe_cpu(info: Any, root: Path = ROOT) -> dict[str, Any]:
    """The `cpu` part, from what `read_cpu` gave (a CpuInfo, or `unavailable`)."""
    known = isinstance(info, cpu.CpuInfo)
    numa = attempt(lambda: topology.read_numa_nodes(root))
    part = {
        "model": info.model if known else info,
        "vendor": info.vendor if known else info,
        "hypervisor": "hypervisor" in info.flags if known else info,
        "flags": cpu.isa_of_interest(info.flags) if known else info,
        "caches": attempt(lambda: topology.read_caches(root)),
        "numa_nodes": numa if is_unavailable(numa) else len(numa),
        "cpus_by_numa_node": numa
        if is_unavailable(numa)
        else {str(node): cpus for node, cpus in numa.items()},
    }
    cores = attempt(lambda: topology.read_cores(root))
    if is_unavailable(cores) and known:
        from_cpuinfo = attempt(lambda: topology.cores_from_places(info.places))
        cores = cores if is_unavailable(from_cpuinfo) else from_cpuinfo
    if is_unavailable(cores):
        names = ("sockets", "cores", "threads_per_core", "cores_by_socket")
        logical = info.logical if known and info.logical else cores
        return part | dict.fromkeys(names, cores) | {"logical": logical}
    return part | topology.describe_cores(cores)


def cpu_model(root: Path = ROOT) -> str:
    """The processor's name alone, for a benchmark cell; `unknown` where the system hides it."""
    info = attempt(lambda: cpu.read_cpu(root))
    return info.model if isinstance(info, cpu.CpuInfo) else "unknown"
