"""What a call of the launcher meets: the machine, as far as it matters to it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bertsquad.machine import cpu, topology
from bertsquad.machine.reading import attempt, is_unavailable
from bertsquad.modelzoo.launcher import Machine


@dataclass(frozen=True)
class Facts:
    """The machine that runs the launcher. None: not known."""

    sockets: int = 1
    cores_per_socket: int = 1
    logical: int = 1
    nodes: tuple[int, ...] = (0,)  # NUMA nodes
    allowed_cpus: tuple[int, ...] = (0,)
    socket_of_cpu: tuple[tuple[int, int], ...] = ()  # (processor, socket)
    flags: frozenset[str] | None = None  # instruction sets
    commands: frozenset[str] | None = None  # of numactl and mpirun, those that are installed
    binding_refused: str | None = None  # why memory may not be bound to nodes; None: it may
    image: str = ""  # that the launcher runs in; empty: on this machine itself

    @property
    def machine(self) -> Machine:
        """What lscpu tells the launcher."""
        return Machine(self.sockets, self.cores_per_socket)


def read_facts(root: Path = Path("/"), *, image: str = "", binding: bool = True) -> Facts:
    """This machine. Without an image the launcher runs here, so its commands and permissions are
    looked for here, too; with one, `binding` says whether its container may bind memory."""
    cores = attempt(lambda: topology.read_cores(root))
    info = attempt(lambda: cpu.read_cpu(root))
    nodes = attempt(lambda: topology.read_numa_nodes(root))
    allowed = tuple(cpu.allowed_cpus())
    in_container = None if binding else "`binding` is false"
    known = [] if is_unavailable(cores) else cores
    sockets = {core.socket for core in known}
    return Facts(
        sockets=len(sockets) or 1,
        cores_per_socket=len(known) // len(sockets) if sockets else len(allowed),
        logical=sum(len(core.cpus) for core in known) or len(allowed),
        nodes=(0,) if is_unavailable(nodes) else tuple(sorted(nodes)),
        allowed_cpus=allowed,
        socket_of_cpu=tuple((number, core.socket) for core in known for number in core.cpus),
        flags=None if is_unavailable(info) else info.flags,
        commands=None if image else installed("numactl", "mpirun"),
        binding_refused=in_container if image else binding_refused(),
        image=image,
    )


def installed(*commands: str) -> frozenset[str]:
    return frozenset(command for command in commands if shutil.which(command))


def binding_refused() -> str | None:
    """Why numactl may not set a memory policy here; None where it may or is not installed."""
    if not shutil.which("numactl"):
        return None
    command = ["numactl", "--localalloc", "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return lines[0] if done.returncode else None
