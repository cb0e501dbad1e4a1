"""machine.json: everything about this machine that a measurement depends on."""

import platform
from pathlib import Path
from typing import Any

from bertsquad.containers.identity import describe_container
from bertsquad.machine import activity, cgroup, cpu, kernel, memory, permissions, threads, topology
from bertsquad.machine.checks import checks, notes, warnings
from bertsquad.machine.reading import attempt, is_unavailable, unavailable
from bertsquad.machine.versions import linked_libraries_of_a_child, versions

ROOT = Path("/")
NOT_THIS_MACHINE = unavailable("described from the files of another machine")


def describe(
    root: Path = ROOT,
    *,
    libraries: bool = False,
    allowed_cpus: list[int] | None = None,
    observed: dict[str, Any] | None = None,
    trial: Any = None,
) -> dict[str, Any]:
    """What machine.json holds. Never fails: what cannot be read is `{"unavailable": reason}`.

    `libraries` adds what PyTorch is linked with, which takes the seconds of importing it. `root`
    is where /proc, /sys and /etc are found. What no file tells can be given: the processors this
    process may use, who is busy (activity.observe), what is permitted (permissions.try_out).
    """
    here = root == ROOT
    info = attempt(lambda: cpu.read_cpu(root))
    known = isinstance(info, cpu.CpuInfo)
    if trial is None:
        trial = permissions.permissions() if here else NOT_THIS_MACHINE
    if observed is None:
        observed = activity.observe() if here else NOT_THIS_MACHINE
    if allowed_cpus is None:
        allowed_cpus = attempt(lambda: cpu.allowed_cpus(root))
    machine = {
        "cpu": describe_cpu(info, root),
        "native_precisions": cpu.native_precisions(info.flags) if known else info,
        "fp32_products": cpu.fp32_products(info) if known else info,
        "amx": permissions.describe_amx(cpu.has_amx(info), "amx_tile" in info.flags, trial)
        if known
        else info,
        "memory_mib": attempt(lambda: memory.machine_memory_mib(root)),
        "allowed_cpus": allowed_cpus,
        "allowed_memory_nodes": attempt(lambda: topology.allowed_memory_nodes(root)),
        "binding": permissions.describe_binding(trial),
        "cgroup": attempt(lambda: cgroup.describe_cgroup(root)),
        "kernel": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "operating_system": attempt(lambda: kernel.operating_system(root)),
        "governor": attempt(lambda: kernel.frequency_governor(root)),
        "turbo": attempt(lambda: kernel.turbo(root)),
        "transparent_huge_pages": attempt(lambda: kernel.transparent_huge_pages(root)),
        "load_average": attempt(kernel.load_average) if here else NOT_THIS_MACHINE,
        "activity": observed,
        "container": attempt(lambda: describe_container(root=root)) if here else None,
        "sees_all_processes": activity.sees_all_processes(root),
        "environment": own_environment() if here else {},
        "versions": versions() | (linked_libraries_of_a_child() if libraries else {}),
    }
    machine["defaults"] = describe_team(machine, root)
    found = checks(machine)
    return machine | {"warnings": warnings(found), "notes": notes(found)}


def describe_cpu(info: Any, root: Path = ROOT) -> dict[str, Any]:
    """The `cpu` part, from what `read_cpu` gave (a CpuInfo, or `unavailable`)."""
    known = isinstance(info, cpu.CpuInfo)
    part = {
        "model": info.model if known else info,
        "vendor": info.vendor if known else info,
        "hypervisor": "hypervisor" in info.flags if known else info,
        "flags": cpu.isa_of_interest(info.flags) if known else info,
        "caches": attempt(lambda: topology.read_caches(root)),
        **describe_nodes(root),
    }
    cores = attempt(lambda: topology.find_cores(root))
    if is_unavailable(cores):
        names = ("sockets", "cores", "threads_per_core", "cores_by_socket")
        logical = info.logical if known and info.logical else cores
        return part | dict.fromkeys(names, cores) | {"logical": logical}
    return part | topology.describe_cores(cores)


def describe_nodes(root: Path) -> dict[str, Any]:
    """How many NUMA nodes there are, and the processors and memory of each."""
    nodes = attempt(lambda: topology.read_numa_nodes(root))
    sizes = attempt(lambda: topology.read_numa_memory(root))
    return {
        "numa_nodes": nodes if is_unavailable(nodes) else len(nodes),
        "cpus_by_numa_node": by_name(nodes),
        "memory_by_numa_node_mib": by_name(sizes),
    }


def by_name(values: Any) -> Any:
    """JSON has no numbers as keys."""
    if is_unavailable(values):
        return values
    return {str(key): value for key, value in values.items()}


def own_environment() -> dict[str, str]:
    """What the user has set. Not the thread counts: Snakemake sets them for each job, this one."""
    found = kernel.measurement_environment()
    return {name: text for name, text in found.items() if not name.endswith("_NUM_THREADS")}


def describe_team(machine: dict[str, Any], root: Path = ROOT) -> Any:
    """machine.json's `defaults`: the threads of a process and the processors it is kept on."""
    allowed, limits = machine["allowed_cpus"], machine["cgroup"]
    if is_unavailable(allowed):
        return allowed
    cores = attempt(lambda: topology.find_cores(root))
    quota = None if is_unavailable(limits) else limits["cpu_quota"]
    team = threads.choose_team(
        allowed,
        [] if is_unavailable(cores) else cores,
        quota if isinstance(quota, int | float) else None,
    )
    return {"threads": team.threads, "cpus": list(team.cpus), "sockets": list(team.sockets)}
