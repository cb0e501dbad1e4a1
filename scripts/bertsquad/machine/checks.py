"""What on this machine would spoil a run or a measurement, each with what to do about it; and what
was looked at and found fine."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from bertsquad.machine.activity import BUSY_CPUS
from bertsquad.machine.reading import format_cpu_list, is_unavailable, parse_cpu_list, value

_STOLEN_SHARE = 0.05
# Docker's default seccomp profile forbids set_mempolicy; the capability lifts that, too.
_ALLOW = "`--cap-add SYS_NICE` or `--security-opt seccomp=unconfined`"

Level = Literal["fine", "note", "warning", "unknown"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. A warning spoils something; a note is good to know."""

    level: Level
    finding: str
    remedy: str = ""  # of a warning: what to do

    def __str__(self) -> str:
        return f"{self.finding}; {self.remedy}" if self.remedy else self.finding


def checks(machine: dict[str, Any], needed_mib: int | None = None) -> list[Check]:
    """Everything that can be judged, from the description of a machine (`description.describe`).
    `needed_mib` is the memory that the configured models take, where it is known."""
    found = (
        _bf16(machine),
        _kernels(machine),
        _amx(machine),
        _cpu_quota(machine),
        _cpuset(machine),
        _siblings(machine),
        _nodes(machine),
        _memory_nodes(machine),
        _binding(machine, "cpu"),
        _binding(machine, "memory"),
        _busy(machine),
        _stolen(machine),
        _governor(machine),
        _turbo(machine),
        _huge_pages(machine),
        _memory(machine, needed_mib),
        _variables(machine),
    )
    return [check for check in found if check is not None]


def warnings(found: Iterable[Check]) -> list[str]:
    """One sentence each: what spoils a run or a measurement, and what to do."""
    return [str(check) for check in found if check.level == "warning"]


def notes(found: Iterable[Check]) -> list[str]:
    """One sentence each: what is good to know."""
    return [str(check) for check in found if check.level == "note"]


def _bf16(machine: dict[str, Any]) -> Check:
    native = value(machine, "native_precisions")
    if native is None:
        return Check("unknown", "whether BF16 is native: the processor does not tell")
    if "bf16" in native:
        return Check("fine", "BF16 is native")
    return Check(
        "warning",
        "BF16 is emulated: this processor has none of avx512_bf16, amx_bf16 or ARM's bf16, so BF16 "
        "runs slower than FP32 here and its timings say nothing about processors that have them",
        "use fp32 for speed",
    )


def _kernels(machine: dict[str, Any]) -> Check | None:
    if "kernels" not in machine:
        return None
    used = value(machine, "kernels", "kernels")
    if used is None:
        return Check("unknown", "whether kernels can be compiled: trying it failed")
    if value(machine, "kernels", "available"):
        return Check("fine", "compiled kernels do attention and LayerNorm in PyTorch's engine")
    part = "some of " if used else ""
    return Check(
        "note",
        f"PyTorch's own operations are used in place of {part}the compiled kernels: "
        f"{value(machine, 'kernels', 'reason')}",
        value(machine, "kernels", "help") or "",
    )


def _amx(machine: dict[str, Any]) -> Check | None:
    if not value(machine, "amx", "in_processor"):
        return None
    if not value(machine, "amx", "shown"):
        return Check(
            "warning",
            "AMX is not enabled: this processor has it but the kernel or hypervisor hides it",
            "use Linux 5.16 or newer, and for a virtual machine a host that passes amx_tile on",
        )
    permitted = value(machine, "amx", "permitted")
    if permitted is None:
        return Check("unknown", "whether the kernel gives AMX to processes: not tried")
    if permitted:
        return Check("fine", "AMX is enabled, and the kernel gives it to processes that ask")
    return Check(
        "warning",
        f"AMX is refused: the kernel shows it, but arch_prctl(ARCH_REQ_XCOMP_PERM) fails "
        f"({value(machine, 'amx', 'reason')}), so BF16 and INT8 run without it",
        "in a container allow the system call arch_prctl; outside, use Linux 5.16 or newer",
    )


def _cpu_quota(machine: dict[str, Any]) -> Check | None:
    quota, allowed = value(machine, "cgroup", "cpu_quota"), value(machine, "allowed_cpus")
    if is_unavailable(machine["cgroup"]) or is_unavailable(machine["cgroup"]["cpu_quota"]):
        return Check("unknown", "the CPU quota: no control group tells")
    if quota is None or allowed is None or quota >= len(allowed):
        return Check("fine", "no CPU quota below the processors")
    threads = max(1, int(quota))
    return Check(
        "warning",
        f"the cgroup's CPU quota is {quota:g} processors but {len(allowed)} are visible: more than "
        f"{threads} thread{'s' if threads != 1 else ''} will be stopped in turn by the kernel and "
        "latency will jump" + (", and so will one alone" if quota < 1 else ""),
        "use a cpuset in place of a quota (docker --cpuset-cpus), or a larger one",
    )


def _cpuset(machine: dict[str, Any]) -> Check | None:
    allowed, logical = value(machine, "allowed_cpus"), value(machine, "cpu", "logical")
    if not allowed or not logical or len(allowed) >= logical:
        return None
    return Check(
        "note",
        f"this process may use {len(allowed)} of the machine's {logical} processors "
        f"({format_cpu_list(allowed)}); caches and memory are shared with what runs on the others",
    )


def _siblings(machine: dict[str, Any]) -> Check | None:
    """Hardware threads that share a core."""
    allowed, threads = value(machine, "allowed_cpus"), value(machine, "cpu", "threads_per_core")
    if not allowed or not threads:
        return None
    foreign = sorted(set(siblings(machine)) - set(allowed))
    if foreign:
        return Check(
            "warning",
            f"cores are shared: the other hardware threads of the allowed processors "
            f"({format_cpu_list(foreign)}) may run other programs, which take half of a core",
            "allow whole cores (docker --cpuset-cpus with both threads of each), or switch SMT off",
        )
    if threads > 1:
        return Check(
            "fine",
            f"{threads} hardware threads on each core: threads are counted by cores and kept on "
            "one of each",
        )
    return Check("fine", "no two processors share a core, as far as the machine tells")


def siblings(machine: dict[str, Any]) -> list[int]:
    """Every processor on a core of which an allowed one is part."""
    allowed = set(machine["allowed_cpus"])
    found = []
    for cores in (value(machine, "cpu", "cores_by_socket") or {}).values():
        for core in cores:
            cpus = parse_cpu_list(core)
            if not allowed.isdisjoint(cpus):
                found += cpus
    return found


def _nodes(machine: dict[str, Any]) -> Check | None:
    nodes, sockets = value(machine, "cpu", "numa_nodes"), value(machine, "cpu", "sockets")
    if not nodes:
        return None
    if nodes == 1 and (sockets or 1) == 1:
        return Check("fine", "one socket, one NUMA node: all memory is near")
    count = "" if sockets is None else f"{sockets} socket{'s' if sockets != 1 else ''} and "
    return Check(
        "note",
        f"{count}{nodes} NUMA node{'s' if nodes != 1 else ''}: a process computes on the cores of "
        "one socket; training starts one on each node",
    )


def _memory_nodes(machine: dict[str, Any]) -> Check | None:
    """Processors whose own memory is out of bounds."""
    nodes, cpus = value(machine, "cpu", "cpus_by_numa_node"), value(machine, "defaults", "cpus")
    allowed = value(machine, "allowed_memory_nodes")
    if not nodes or not cpus or not allowed:
        return None
    near = [int(node) for node, of in nodes.items() if not set(cpus).isdisjoint(of)]
    if not set(near) - set(allowed):
        return None
    return Check(
        "warning",
        f"the threads run on NUMA nodes {format_cpu_list(near)} but memory is allowed on "
        f"{format_cpu_list(allowed)} alone: every access crosses nodes",
        f"allow the same nodes (docker --cpuset-mems {format_cpu_list(near)})",
    )


def _binding(machine: dict[str, Any], what: str) -> Check:
    name = {"cpu": "CPU", "memory": "memory"}[what]
    permitted = value(machine, "binding", what, "permitted")
    if permitted is None:
        return Check("unknown", f"whether {name} binding is permitted: not tried")
    if permitted:
        return Check("fine", f"{name} binding is permitted")
    reason = value(machine, "binding", what, "reason")
    harmless = value(machine, "cpu", "numa_nodes") == 1 and what == "memory"
    return Check(
        "note" if harmless else "warning",
        f"{name} binding is not permitted ({reason})"
        + (": with one NUMA node nothing is lost" if harmless else ""),
        f"in a container allow it by {_ALLOW}",
    )


def _busy(machine: dict[str, Any]) -> Check:
    others = value(machine, "activity", "other_cpus")
    if others is None:
        return Check("unknown", "whether the machine is busy: its clocks cannot be read")
    if others <= BUSY_CPUS:
        return Check("fine", f"quiet: other programs use {others:g} processors")
    hidden = value(machine, "sees_all_processes") is False
    whose = "programs outside this container" if hidden else "programs that are not this workflow's"
    return Check(
        "warning",
        f"the machine is busy: {whose} kept {others:g} processors busy while it was watched",
        "end them (`top` shows them) before measuring; a measurement needs the machine alone",
    )


def _stolen(machine: dict[str, Any]) -> Check | None:
    stolen, logical = value(machine, "activity", "stolen_cpus"), value(machine, "cpu", "logical")
    if stolen is None or stolen <= _STOLEN_SHARE * (logical or 1):
        return None
    return Check(
        "warning",
        f"the host takes {stolen:g} processors away for other virtual machines (steal time)",
        "measure on a machine with processors of its own, or repeat at a quiet hour",
    )


def _governor(machine: dict[str, Any]) -> Check:
    governor = value(machine, "governor")
    if governor is None:
        return Check("unknown", "the clock policy (governor): not shown here")
    if governor == "performance":
        return Check("fine", "the clock stays up (governor performance)")
    return Check(
        "warning",
        f"the clock follows the load (governor {governor}): the first seconds of a measurement run "
        "slower",
        "choose `performance` for benchmarks (cpupower frequency-set -g performance)",
    )


def _turbo(machine: dict[str, Any]) -> Check | None:
    if not value(machine, "turbo"):
        return None
    return Check(
        "note", "turbo is on: the clock sinks as more cores work and as they warm up, so repeat"
    )


def _huge_pages(machine: dict[str, Any]) -> Check:
    choice = value(machine, "transparent_huge_pages")
    if choice is None:
        return Check("unknown", "transparent huge pages: the kernel does not tell")
    if choice != "never":
        return Check("fine", f"transparent huge pages can be used ({choice})")
    return Check(
        "warning",
        "transparent huge pages are off: large fresh buffers cost a fault for every 4 KiB",
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, as root",
    )


def memory_mib(machine: dict[str, Any]) -> int | None:
    """What this process may use: all memory, or the cgroup's limit where that is less."""
    sizes = [value(machine, "memory_mib"), value(machine, "cgroup", "memory_limit_mib")]
    return min((size for size in sizes if size is not None), default=None)


def _memory(machine: dict[str, Any], needed_mib: int | None) -> Check | None:
    most = memory_mib(machine)
    if most is None or needed_mib is None:
        return None
    if needed_mib <= most:
        return Check("fine", f"memory: {most:,} MiB for about {needed_mib:,} MiB of work")
    return Check(
        "warning",
        f"memory: this process may use {most:,} MiB, but the configured runs take about "
        f"{needed_mib:,} MiB and would be ended by the kernel",
        "raise the limit (docker --memory), use a larger machine, or a smaller model",
    )


def _variables(machine: dict[str, Any]) -> Check | None:
    names = sorted(value(machine, "environment") or {})
    if not names:
        return None
    return Check("note", f"set in the environment, and kept: {', '.join(names)}")
