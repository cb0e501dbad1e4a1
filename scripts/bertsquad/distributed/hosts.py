"""Which hosts take part, which of them this is, and how to start something on the others."""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from bertsquad.console.errors import UserError

# What decides how fast, and with which rounding, a process computes: the same on all hosts.
_PASSED_ON = re.compile(r"(OMP|GOMP|KMP|MKL|DNNL|ONEDNN|MALLOC|TORCH|ATEN)_\w+|GLIBC_TUNABLES")


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts of one training; with a single name, or none, it is this one alone."""

    names: tuple[str, ...] = ()
    number: int = 0  # which of them this is
    starts_others: bool = False  # else the same command has been started on each of them

    @property
    def several(self) -> bool:
        return len(self.names) > 1

    @property
    def name(self) -> str:
        return self.names[self.number] if self.several else ""


HERE_ALONE = Hosts()


def listed(names: list[str], number: int | None) -> Hosts:
    """The hosts of a list; the first starts the others, each with its number."""
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise UserError(
            f"--hosts: {', '.join(doubles)} is named more than once; name each host once, and ask "
            "for several processes on it by --processes"
        )
    if not names or (number or 0) >= len(names):
        raise UserError(f"--hosts: {len(names)} hosts, and none of number {number or 0}")
    return Hosts(tuple(names), number or 0, starts_others=len(names) > 1 and number is None)


def of_slurm(environment: Mapping[str, str]) -> Hosts:
    """The nodes of the Slurm allocation that this process runs in (sbatch(1), srun(1)).

    In a step with one task on every node, each is a host that has been started; otherwise this
    node is the first and starts the others.
    """
    nodes = _allocated(environment)
    if not nodes:
        raise UserError(
            "--hosts slurm: neither SLURM_JOB_ID nor SLURM_JOB_NODELIST says which, so this is no "
            "Slurm job; start it by sbatch or salloc, or name the hosts"
        )
    step = environment.get("SLURM_STEP_NODELIST", "")
    tasks = environment.get("SLURM_STEP_NUM_TASKS")
    started = step and tasks == environment.get("SLURM_STEP_NUM_NODES") == str(len(expand(step)))
    if started and tasks != "1":
        return Hosts(tuple(expand(step)), int(environment["SLURM_NODEID"]))
    names = expand(nodes)
    here = environment.get("SLURMD_NODENAME", names[0])
    return listed([here, *(name for name in names if name != here)], None)


def check_allocation(hosts: Hosts, environment: Mapping[str, str]) -> None:
    """UserError where this Slurm job has more nodes than take part: the others would stand idle."""
    nodes = expand(_allocated(environment))
    if len(nodes) > max(1, len(hosts.names)):
        raise UserError(
            f"--hosts: found {', '.join(hosts.names) or 'none'}, and Slurm's job has {len(nodes)} "
            f"nodes ({', '.join(nodes)}), of which the others would stand idle; write slurm for "
            "all of them, or ask Slurm for fewer"
        )


def _allocated(environment: Mapping[str, str]) -> str:
    """The job's node list as Slurm has it. Within a step that Snakemake's executor starts, the
    variable holds that step's one node of several, or is missing."""
    job, squeue = environment.get("SLURM_JOB_ID"), shutil.which("squeue")
    if job and squeue:
        command = [squeue, "--noheader", f"--jobs={job}", "--format=%N"]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
        if asked.returncode == 0 and asked.stdout.strip():
            return asked.stdout.strip()
    return environment.get("SLURM_JOB_NODELIST", "")


def expand(text: str) -> list[str]:
    """The names of a Slurm node list: `a[01-03,7]-ib,b` -> a01-ib, a02-ib, a03-ib, a7-ib, b.

    By `scontrol show hostnames`; in a container, where Slurm's commands are mostly missing, by the
    notation as sbatch(1) documents it.
    """
    if scontrol := shutil.which("scontrol"):
        command = [scontrol, "show", "hostnames", text]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
        if shown.returncode == 0:
            return shown.stdout.split()
    return _expanded(text)


def _expanded(text: str) -> list[str]:
    names = []
    for part in re.findall(r"(?:[^,\[]|\[[^\]]*\])+", text):
        pieces: list[list[str]] = []
        for piece in re.split(r"(\[[^\]]*\])", part):
            pieces.append(_numbers(piece[1:-1]) if piece.startswith("[") else [piece])
        names += ["".join(combination) for combination in _combinations(pieces)]
    return names


def _numbers(text: str) -> list[str]:
    found = []
    for run in text.split(","):
        first, _, last = run.partition("-")
        found += [f"{n:0{len(first)}d}" for n in range(int(first), int(last or first) + 1)]
    return found


def _combinations(pieces: list[list[str]]) -> list[list[str]]:
    if not pieces:
        return [[]]
    rest = _combinations(pieces[1:])
    return [[first, *others] for first in pieces[0] for others in rest]


def remote_command(
    shell: list[str],
    host: str,
    command: list[str],
    folder: Path,
    environment: Mapping[str, str],
) -> list[str]:
    """What starts `command` on `host`, in the same folder, with the variables of _PASSED_ON.

    `shell` is called as ssh is: `shell... host 'command line'`. srun takes
    the node as an option.
    """
    variables = [
        f"{name}={value}"
        for name, value in sorted(environment.items())
        if _PASSED_ON.fullmatch(name)
    ]
    line = f"cd {shlex.quote(str(folder))} && exec env {shlex.join([*variables, *command])}"
    if Path(shell[0]).name == "srun":
        alone = ["--overlap", "--nodes=1", "--ntasks=1", f"--nodelist={host}"]
        return [*shell, *alone, "sh", "-c", line]
    return [*shell, host, line]


def require_here(host: str) -> None:
    """UserError where the first host is not this machine, or has no address."""
    try:
        address = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except socket.gaierror as error:
        raise UserError(f"--hosts: {host}: {error.strerror}; no IPv4 address is known") from None
    except OSError:
        raise UserError(
            f"--hosts: {host} ({address}) is not this machine; name this machine first, by an "
            "address that the others can reach"
        ) from None


def interface_towards(host: str) -> str:
    """The name of the network interface through which this machine reaches `host` (IPv4)."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))  # sends nothing; the kernel only looks up the route
            address = probe.getsockname()[0]
    except OSError as error:
        raise UserError(f"--hosts: no way to {host}: {error.strerror}") from None
    return interface_with(address)


def interface_with(address: str) -> str:
    """The name of the network interface that has this IPv4 address; UserError without one."""
    for name, addresses in psutil.net_if_addrs().items():
        if any(each.family == socket.AF_INET and each.address == address for each in addresses):
            return name
    raise UserError(f"--hosts: no interface has the address {address}; name one by --interface")
