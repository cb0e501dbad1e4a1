"""What this Slurm allows: a job that asks for more waits for ever, and nobody says why."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsquad.console.errors import UserError

_MINUTES = (1 / 60, 1, 60, 24 * 60)  # of a second, minute, hour, day
NO_ACCOUNTS = ("accounting_storage/none", "(null)")  # the second since Slurm 23.11


@dataclass(frozen=True, slots=True)
class Partition:
    """The longest job in minutes (None: any), and of its largest node the processors and MiB."""

    longest: float | None
    processors: int
    memory_mib: int


def partitions() -> dict[str, Partition]:
    """By name, as sinfo(1) lists them; none where it does not answer."""
    if not (sinfo := shutil.which("sinfo")):
        return {}
    command = [sinfo, "--noheader", "--exact", "--format=%R %l %c %m"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    return read(asked.stdout) if asked.returncode == 0 else {}


def accounting_storage() -> str | None:
    """What keeps account of jobs, by scontrol(1); None where it does not say."""
    if not (scontrol := shutil.which("scontrol")):
        return None
    command = [scontrol, "show", "config"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    said = re.search(r"^AccountingStorageType\s*=\s*(\S+)", asked.stdout, re.M)
    return said[1] if said else None


def check_accounting(status_command: str | None, storage: str | None) -> None:
    """UserError where `sacct` is to tell which jobs have ended, and knows of none: the run would
    wait for ever for jobs that have ended. `storage`: accounting_storage()."""
    if status_command == "sacct" and storage in NO_ACCOUNTS:
        raise UserError(
            f"slurm-status-command is sacct, and this Slurm keeps no accounts ({storage}), so that "
            "no job would be seen to end; write slurm-status-command: squeue in the profile"
        )


def read(listed: str) -> dict[str, Partition]:
    """Lines of name, time limit, processors and MiB of a node; a line for each kind of node."""
    found: dict[str, Partition] = {}
    for line in listed.splitlines():
        name, limit, *sizes = line.split()
        processors, memory = (int(re.sub(r"\D", "", size) or 0) for size in sizes)
        if name in found:
            processors = max(processors, found[name].processors)
            memory = max(memory, found[name].memory_mib)
        found[name] = Partition(minutes(limit), processors, memory)
    return found


def minutes(limit: str) -> float | None:
    """`infinite`, or [[days-]hours:]minutes:seconds."""
    numbers = [int(number) for number in re.findall(r"\d+", limit)]
    if not numbers:
        return None
    return sum(number * worth for number, worth in zip(reversed(numbers), _MINUTES, strict=False))


def check_processors(rule: str, threads: int, asked: int, whole_machine: int) -> None:
    """UserError where a job takes a whole machine, which so many threads stand for, and would ask
    for as many processors: the profile says how a whole node is asked for, or a number."""
    if threads >= whole_machine and asked >= whole_machine:
        raise UserError(
            f"{rule} asks for a whole node, and the profile does not say how; expected under "
            f'set-resources: {rule}: {{cpus_per_task: "0-1", slurm_extra: '
            "\"'--exclusive'\"}, as in profiles/slurm"
        )


def check_nodes(rule: str, nodes: int, hosts: str | Sequence[str]) -> None:
    """UserError where a job asks for more nodes than `distributed.hosts` has it use: the others
    would stand idle, and be paid for. Slurm is asked for all of them where that is "slurm"."""
    if nodes > 1 and hosts != "slurm" and nodes > len(hosts):
        used = f"names {len(hosts)}" if hosts else "names none"
        raise UserError(
            f"{rule} asks for nodes={nodes}, and distributed.hosts {used}: the others would stand "
            "idle; write distributed: {hosts: slurm} in the configuration, or take `nodes` out of "
            f"the profile, under set-resources: {rule}"
        )


def check_partition(
    rule: str, asked: Mapping[str, Any], known: Mapping[str, Partition], together: int = 1
) -> None:
    """UserError where a job asks its partition for more than that has. `asked`: its resources, and
    its `threads` where these are the processors that it asks for. `together`: how many of the rule
    are one job, whose resources these are."""
    name = str(asked.get("slurm_partition", ""))
    if name and known and name not in known:
        raise UserError(
            f"{rule}: slurm_partition is {name!r}; expected one of {', '.join(sorted(known))}: "
            "change it in the profile, under default-resources"
        )
    if name not in known:
        return
    partition = known[name]
    limits: Iterable[tuple[str, float | None, str, str]] = (
        ("runtime", partition.longest, "minutes", "set-resources"),
        ("mem_mb", partition.memory_mib, "MiB a node", "set-resources"),
        ("cpus_per_task", partition.processors, "processors a node", "set-resources"),
        ("threads", partition.processors, "processors a node", "set-threads"),
    )
    asks = f"{rule} asks" if together == 1 else f"a job of {together} {rule} asks"
    for resource, most, unit, section in limits:
        wanted = asked.get(resource)
        if most is not None and isinstance(wanted, int | float) and wanted > most:
            fewer = "write a smaller number in the profile, under group-components"
            lower = f"lower it in the profile, under {section}: {rule}"
            raise UserError(
                f"{asks} for {resource}={wanted:g}, and partition {name} has {most:g} {unit}: "
                f"it would wait for ever; {lower if together == 1 else fewer}"
            )
