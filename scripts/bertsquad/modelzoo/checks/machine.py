"""Checks of the machine: NUMA nodes, cores, commands, permissions, instruction sets."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bertsquad.machine import cpu, topology
from bertsquad.machine.reading import attempt, format_cpu_list, is_unavailable, parse_cpu_list
from bertsquad.modelzoo.checks.finders import processes
from bertsquad.modelzoo.checks.table import CallCheck
from bertsquad.modelzoo.command_line import CommandLine
from bertsquad.modelzoo.launcher import Machine


@dataclass(frozen=True)
class Host:
    """The machine that runs the launcher. A field is None if it is not known."""

    sockets: int = 1
    cores_per_socket: int = 1
    logical: int = 1  # processors
    nodes: tuple[int, ...] = (0,)  # NUMA nodes
    allowed_cpus: tuple[int, ...] = (0,)  # processors that this process may use
    socket_of_cpu: tuple[tuple[int, int], ...] = ()  # (processor, socket)
    flags: frozenset[str] | None = None  # instruction sets
    commands: frozenset[str] | None = None  # `numactl`, `mpirun`: those that are installed
    binding_refused: str | None = None  # why memory cannot be bound to nodes; None if it can
    image: str = ""  # container image of the launcher; empty without a container

    @property
    def machine(self) -> Machine:
        """The part of it that the launcher reads from lscpu."""
        return Machine(self.sockets, self.cores_per_socket)


def read_host(root: Path = Path("/"), *, image: str = "", binding: bool = True) -> Host:
    """Describe this machine.

    Commands and permissions are read here only if the launcher runs here, without an image. In a
    container, memory can be bound if `binding` is true.
    """
    cores = attempt(lambda: topology.read_cores(root))
    info = attempt(lambda: cpu.read_cpu(root))
    nodes = attempt(lambda: topology.read_numa_nodes(root))
    allowed = tuple(cpu.allowed_cpus())
    in_container = None if binding else "`binding` is false"
    known = [] if is_unavailable(cores) else cores
    sockets = {core.socket for core in known}
    return Host(
        sockets=len(sockets) or 1,
        cores_per_socket=len(known) // len(sockets) if sockets else len(allowed),
        logical=sum(len(core.cpus) for core in known) or len(allowed),
        nodes=(0,) if is_unavailable(nodes) else tuple(sorted(nodes)),
        allowed_cpus=allowed,
        socket_of_cpu=tuple((number, core.socket) for core in known for number in core.cpus),
        flags=None if is_unavailable(info) else info.flags,
        commands=None if image else installed("numactl", "mpirun"),
        binding_refused=in_container if image else why_binding_is_refused(),
        image=image,
    )


def installed(*commands: str) -> frozenset[str]:
    return frozenset(command for command in commands if shutil.which(command))


def why_binding_is_refused() -> str | None:
    """Why numactl cannot set a memory policy here; None if it can, or is not installed."""
    if not shutil.which("numactl"):
        return None
    command = ["numactl", "--localalloc", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return lines[0] if done.returncode else None


def nodes_missing(line: CommandLine, host: Host) -> str | None:
    """Training with more processes than NUMA nodes."""
    ranks = processes(line)
    if line.mode != "training" or ranks <= len(host.nodes):
        return None
    return f"--mpi_num_processes={ranks} on a machine of {counted(len(host.nodes), 'NUMA node')}"


def socket_missing(line: CommandLine, host: Host) -> str | None:
    """--socket-id without such a NUMA node."""
    socket = line.number("socket_id", -1)
    if socket < len(host.nodes):
        return None
    return f"--socket-id={socket} on a machine of {counted(len(host.nodes), 'NUMA node')}"


def bound_cpus(line: CommandLine) -> list[int]:
    """The processors that the numactl before the launcher binds to; empty without binding."""
    words = iter(line.prefix)
    for word in words:
        name, equals, value = word.partition("=")
        if name in ("--physcpubind", "-C"):
            text = value if equals else next(words, "")
            return [] if text == "all" else parse_cpu_list(text)
    return []


def cpus_missing(line: CommandLine, host: Host) -> str | None:
    """Binding to processors that this process may not use."""
    missing = sorted(set(bound_cpus(line)) - set(host.allowed_cpus))
    if not missing:
        return None
    allowed = format_cpu_list(list(host.allowed_cpus))
    return f"--physcpubind names {format_cpu_list(missing)}, and only {allowed} may be used here"


def several_sockets(line: CommandLine, host: Host) -> str | None:
    """Binding to processors of more than one socket."""
    sockets = {socket for number, socket in host.socket_of_cpu if number in bound_cpus(line)}
    return f"--physcpubind spans {len(sockets)} sockets" if len(sockets) > 1 else None


def too_many_cores(line: CommandLine, host: Host) -> str | None:
    """--num-cores beyond the number of processors."""
    cores = line.number("num_cores", -1)
    return f"--num-cores={cores} of {host.logical}" if cores > host.logical else None


def no_threads(line: CommandLine, host: Host) -> str | None:
    """A default number of threads, two less than the cores of a socket, that is not positive."""
    threads = host.cores_per_socket - 2
    if line.given("num_intra_threads") or threads > 0:
        return None
    if line.mode == "training" and not processes(line):
        return None
    cores = counted(host.cores_per_socket, "core")
    return f"no --num-intra-threads, and {cores} per socket less 2 are {threads} threads"


def too_many_threads(line: CommandLine, host: Host) -> str | None:
    """More threads than processors."""
    threads = line.number("num_intra_threads", 0)
    cpus = len(bound_cpus(line)) or len(host.allowed_cpus)
    ranks = processes(line) or 1
    if threads * ranks <= cpus:
        return None
    each = f"{ranks} processes of " if ranks > 1 else ""
    return f"{each}{threads} threads on {counted(cpus, 'processor')}"


def needed_commands(line: CommandLine) -> list[str]:
    """Commands outside of Python that the launcher runs."""
    ranks = processes(line)
    bound = ranks and line.mode == "training"
    numactl = bound or line.given("socket_id", -1) != -1 or "numactl" in line.prefix
    return [*(["numactl"] if numactl else []), *(["mpirun"] if ranks else [])]


def commands_missing(line: CommandLine, host: Host) -> Iterator[str]:
    """Needed commands that are not installed."""
    for command in needed_commands(line):
        if host.commands is not None and command not in host.commands:
            yield f"{command} is not installed"


def binding_refused(line: CommandLine, host: Host) -> str | None:
    """numactl where memory cannot be bound."""
    needed = "numactl" in needed_commands(line)
    return f"numactl: {host.binding_refused}" if needed and host.binding_refused else None


def emulated(line: CommandLine, host: Host) -> bool:
    """BF16 on a processor without BF16 instructions."""
    if line.given("precision") != "bfloat16" or host.flags is None:
        return False
    return not cpu.has_native_bf16(host.flags)


def too_old(line: CommandLine, host: Host) -> str | None:
    """Intel's image on a processor without AVX-512."""
    if host.flags is None or "avx512f" in host.flags or DLRS not in host.image:
        return None
    return f"{host.image} on a processor without AVX-512"


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


DLRS = "sysstacks/dlrs"  # name of Intel's images
MACHINE_CHECKS = (
    CallCheck(
        "nodes",
        "error",
        nodes_missing,
        "the launcher binds process i to node i, numactl fails for nodes that are not there, and "
        "the launcher still exits with 0",
    ),
    CallCheck("socket", "error", socket_missing, "there is no such node; the launcher refuses it"),
    CallCheck("cpus", "error", cpus_missing, "numactl aborts with `cpu argument is out of range`"),
    CallCheck("too-many-cores", "error", too_many_cores, "the launcher refuses it"),
    CallCheck("no-threads", "error", no_threads, "OMP_NUM_THREADS would say so; give a number"),
    CallCheck(
        "commands",
        "error",
        commands_missing,
        "the shell behind the launcher does not find it, and the launcher still exits with 0",
    ),
    CallCheck(
        "binding",
        "error",
        binding_refused,
        "memory may not be bound here; a container needs the capability SYS_NICE or "
        "seccomp=unconfined",
    ),
    CallCheck(
        "avx512",
        "error",
        too_old,
        "its TensorFlow was built for AVX-512 and ends with `Illegal instruction`",
    ),
    CallCheck("sockets", "warning", several_sockets, "half of the memory is then far away"),
    CallCheck("threads", "warning", too_many_threads, "they take turns"),
    CallCheck(
        "bf16",
        "warning",
        emulated,
        "this processor has no BF16 instructions: bfloat16 is emulated and slow",
    ),
)
