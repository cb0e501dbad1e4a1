"""Sockets, cores, hardware threads, NUMA nodes and caches, from /sys/devices/system; and which of
them this process may use."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.machine.cpu import parse_cpuinfo
from bertsquad.machine.memory import parse_kib_lines
from bertsquad.machine.reading import format_cpu_list, parse_cpu_list, read_status, read_text

ROOT = Path("/")


@dataclass(frozen=True, slots=True, order=True)
class Core:
    """One physical core: its socket, and the logical processors (hardware threads) on it."""

    socket: int
    cpus: tuple[int, ...]


def find_cores(root: Path = ROOT) -> list[Core]:
    """The cores from /sys or, where it is hidden or broken, from /proc/cpuinfo; OSError or
    ValueError of /sys where neither tells."""
    try:
        return read_cores(root)
    except (OSError, ValueError):
        try:
            return cores_from_places(parse_cpuinfo(read_text(root / "proc/cpuinfo")).places)
        except (OSError, ValueError):
            pass
        raise


def read_cores(root: Path = ROOT) -> list[Core]:
    """Every online core, by socket and first processor; OSError or ValueError where hidden."""
    system = root / "sys/devices/system/cpu"
    online = parse_cpu_list(read_text(system / "online"))
    if not online:
        raise ValueError(f"{system}/online names no processor")
    cores = set()
    for cpu in online:
        folder = system / f"cpu{cpu}/topology"
        # -1 means that the firmware does not say (ARM machines): then it is one socket.
        socket = max(0, int(read_text(folder / "physical_package_id")))
        siblings = parse_cpu_list(read_text(folder / "thread_siblings_list"))
        cores.add(Core(socket, tuple(sibling for sibling in siblings if sibling in online)))
    return sorted(cores)


def cores_from_places(places: dict[int, tuple[int, int]]) -> list[Core]:
    """Every core, from each processor's (physical id, core id) in /proc/cpuinfo."""
    if not places:
        raise ValueError("neither /sys nor /proc/cpuinfo says which processors share a core")
    threads: dict[tuple[int, int], list[int]] = {}
    for cpu, place in places.items():
        threads.setdefault(place, []).append(cpu)
    return sorted(Core(socket, tuple(sorted(cpus))) for (socket, _), cpus in threads.items())


def read_numa_nodes(root: Path = ROOT) -> dict[int, list[int]]:
    """NUMA node -> its logical processors (a node may hold memory only). OSError where hidden."""
    system = root / "sys/devices/system/node"
    nodes = parse_cpu_list(read_text(system / "online"))
    return {node: parse_cpu_list(read_text(system / f"node{node}/cpulist")) for node in nodes}


def read_numa_memory(root: Path = ROOT) -> dict[int, int]:
    """NUMA node -> all memory on it, in MiB. OSError, ValueError or LookupError where hidden."""
    system = root / "sys/devices/system/node"
    memory = {}
    for node in parse_cpu_list(read_text(system / "online")):
        # `Node 0 MemTotal:       24684096 kB`
        lines = read_text(system / f"node{node}/meminfo").replace(f"Node {node} ", "")
        memory[node] = parse_kib_lines(lines)["MemTotal"] // 1024
    return memory


def allowed_memory_nodes(root: Path = ROOT) -> list[int]:
    """The NUMA nodes this process may have memory on. OSError or LookupError where hidden."""
    return parse_cpu_list(read_status("Mems_allowed_list", root))


def read_caches(root: Path = ROOT) -> dict[str, dict[str, int]]:
    """`{"L2": {"size_kib": 1024, "instances": 2}, ...}`: size of one, and how many there are."""
    system = root / "sys/devices/system/cpu"
    found: dict[str, dict[str, int]] = {}
    for cpu in parse_cpu_list(read_text(system / "online")):
        for folder in sorted((system / f"cpu{cpu}/cache").glob("index[0-9]*")):
            kind = {"Data": "d", "Instruction": "i"}.get(read_text(folder / "type"), "")
            shared_by = read_text(folder / "shared_cpu_list")
            found.setdefault(f"L{read_text(folder / 'level')}{kind}", {})[shared_by] = _kib(
                read_text(folder / "size")
            )
    if not found:
        raise ValueError(f"{system}/cpu*/cache is empty: the hypervisor hides the caches")
    return {
        name: {"size_kib": max(sizes.values()), "instances": len(sizes)}
        for name, sizes in sorted(found.items())
    }


def describe_cores(cores: list[Core]) -> dict[str, Any]:
    """Counts for machine.json, and each socket's cores as lists of processors (`"0,64"`)."""
    sockets = sorted({core.socket for core in cores})
    return {
        "sockets": len(sockets),
        "cores": len(cores),
        "threads_per_core": max(len(core.cpus) for core in cores),
        "logical": sum(len(core.cpus) for core in cores),
        "cores_by_socket": {
            str(socket): [
                format_cpu_list(list(core.cpus)) for core in cores if core.socket == socket
            ]
            for socket in sockets
        },
    }


def _kib(text: str) -> int:
    """`32K`, `1M` or plain KiB."""
    units = {"K": 1, "M": 1024, "G": 1024 * 1024}
    return int(text[:-1]) * units[text[-1]] if text[-1:] in units else int(text)
