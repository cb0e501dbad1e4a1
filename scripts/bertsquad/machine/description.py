"""machine.json: everything about this machine that a measurement depends on."""

import os
import platform
from pathlib import Path
from typing import Any

from bertsquad.machine import activity, cgroup, cpu, kernel, memory, permissions, topology
from bertsquad.machine.checks import checks, notes, warnings
from bertsquad.machine.container import describe_container
from bertsquad.machine.cores import Cores, from_readings
from bertsquad.machine.identity import describe_identity
from bertsquad.machine.reading import attempt, is_unavailable, unavailable
from bertsquad.machine.surroundings import describe_place
from bertsquad.machine.threads import choose_threads
from bertsquad.machine.versions import linked_libraries_of_a_child, versions

ROOT = Path("/")
_NOT_THIS_MACHINE = unavailable("described from the files of another machine")


def describe(
    root: Path = ROOT,
    *,
    libraries: bool = False,
    packages: tuple[str, ...] = (),
    allowed_cpus: list[int] | None = None,
    observed: dict[str, Any] | None = None,
    trial: Any = None,
    kernels: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What machine.json holds. Never fails: what cannot be read is `{"unavailable": reason}`.

    `libraries` adds what PyTorch is linked with, which takes the seconds of importing it;
    `packages` are named beside PyTorch where they are installed. `root` is where /proc, /sys and
    /etc are found. What is in no file can be given: the processors this process may use, who is
    busy (activity.observe), what is permitted (permissions.try_out).
    """
    here = root == ROOT
    info = attempt(lambda: cpu.read_cpu(root))
    known = isinstance(info, cpu.CpuInfo)
    if trial is None:
        trial = permissions.permissions() if here else _NOT_THIS_MACHINE
    if observed is None:
        observed = activity.observe() if here else _NOT_THIS_MACHINE
    if allowed_cpus is None:
        allowed_cpus = attempt(lambda: cpu.allowed_cpus(root))
    all_cores = attempt(lambda: topology.find_cores(root))
    nodes = attempt(lambda: topology.read_numa_nodes(root))
    memory_nodes = attempt(lambda: topology.allowed_memory_nodes(root))
    limits = attempt(lambda: cgroup.describe_cgroup(root))
    machine = {
        "cpu": _describe_cpu(info, all_cores, nodes, root)
        | {"identity": describe_identity(info, _count(allowed_cpus))},
        "native_precisions": cpu.native_precisions(info.flags) if known else info,
        "fp32_products": cpu.fp32_products(info) if known else info,
        "fp32_weight_gradients": cpu.fp32_weight_gradients(info) if known else info,
        "amx": permissions.describe_amx(cpu.has_amx(info), "amx_tile" in info.flags, trial)
        if known
        else info,
        "memory_mib": attempt(lambda: memory.machine_memory_mib(root)),
        "allowed_cpus": allowed_cpus,
        "allowed_memory_nodes": memory_nodes,
        "binding": permissions.describe_binding(trial),
        "cgroup": limits,
        **_describe_system(root),
        "load_average": attempt(kernel.load_average) if here else _NOT_THIS_MACHINE,
        "activity": observed,
        "container": attempt(lambda: describe_container(root=root)) if here else None,
        **(describe_place(os.environ) if here else {"host": None, "node": None, "job": None}),
        "sees_all_processes": activity.sees_all_processes(root),
        "environment": _own_environment() if here else {},
        "versions": versions(packages) | (linked_libraries_of_a_child() if libraries else {}),
    }
    if kernels is not None:
        machine["kernels"] = kernels
    machine["defaults"] = (
        allowed_cpus
        if is_unavailable(allowed_cpus)
        else _describe_threads(from_readings(allowed_cpus, all_cores, limits, nodes, memory_nodes))
    )
    found = checks(machine)
    return machine | {"warnings": warnings(found), "notes": notes(found)}


def _describe_system(root: Path) -> dict[str, Any]:
    """Kernel and operating system, and the settings of theirs that speed depends on."""
    return {
        "kernel": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "operating_system": attempt(lambda: kernel.operating_system(root)),
        "governor": attempt(lambda: kernel.frequency_governor(root)),
        "turbo": attempt(lambda: kernel.turbo(root)),
        "transparent_huge_pages": attempt(lambda: kernel.transparent_huge_pages(root)),
    }


def _describe_cpu(info: Any, cores: Any, nodes: Any, root: Path) -> dict[str, Any]:
    """The `cpu` part, from what was read of processor, cores and NUMA nodes."""
    known = isinstance(info, cpu.CpuInfo)
    part = {
        "model": info.model if known else info,
        "vendor": info.vendor if known else info,
        "hypervisor": "hypervisor" in info.flags if known else info,
        "flags": cpu.isa_of_interest(info.flags) if known else info,
        "caches": attempt(lambda: topology.read_caches(root)),
        **_describe_nodes(nodes, root),
    }
    if is_unavailable(cores):
        names = ("sockets", "cores", "threads_per_core", "cores_by_socket")
        logical = info.logical if known and info.logical else cores
        return part | dict.fromkeys(names, cores) | {"logical": logical}
    return part | topology.describe_cores(cores)


def _describe_nodes(nodes: Any, root: Path) -> dict[str, Any]:
    """How many NUMA nodes there are, and the processors and memory of each."""
    sizes = attempt(lambda: topology.read_numa_memory(root))
    return {
        "numa_nodes": nodes if is_unavailable(nodes) else len(nodes),
        "cpus_by_numa_node": _by_name(nodes),
        "memory_by_numa_node_mib": _by_name(sizes),
    }


def _count(allowed_cpus: Any) -> Any:
    """How many they are, where they are known."""
    return allowed_cpus if is_unavailable(allowed_cpus) else len(allowed_cpus)


def _by_name(values: Any) -> Any:
    """JSON has no numbers as keys."""
    if is_unavailable(values):
        return values
    return {str(key): value for key, value in values.items()}


def _own_environment() -> dict[str, str]:
    """What the user has set. Not the thread counts: Snakemake sets them for each job, this one."""
    found = kernel.measurement_environment()
    return {name: text for name, text in found.items() if not name.endswith("_NUM_THREADS")}


def _describe_threads(cores: Cores) -> dict[str, Any]:
    """machine.json's `defaults`: the threads of a process and the processors it is kept on."""
    chosen = choose_threads(cores)
    return {
        "threads": chosen.count,
        "cpus": list(chosen.cpus),
        "sockets": list(chosen.sockets),
    }
