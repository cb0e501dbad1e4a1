"""Run a command as one of several processes, each on cores and memory of its own.

Example:
    python scripts/distribute.py --processes 4 -- scripts/finetune.py --checkpoint ...
    python scripts/distribute.py --hosts node1,node2 --processes auto -- scripts/finetune.py ...

finetune.py calls this by itself when it is asked for more than one process. The processes run under
torchrun (gloo). The first host starts the others through a remote shell, in the same folder and
with the same Python. When a process or a host is lost, all end within 30 seconds, with one message.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bertsquad.console.arguments import command_parser, positive
from bertsquad.console.errors import exit_with
from bertsquad.console.progress import say

if TYPE_CHECKING:
    from bertsquad.distributed.hosts import Hosts
    from bertsquad.distributed.placement import Place

AUTO = "auto"
SLURM = "slurm"
SECRET_VARIABLE = "BERTSQUAD_SECRET"
DEFAULT_PORT = 29500  # torchrun's
DEFAULT_SHELL = "ssh -o BatchMode=yes -o ConnectTimeout=20"


def distribute(args: argparse.Namespace) -> int:
    """Run this host's processes, and have the other hosts started; return the exit status."""
    from bertsquad.distributed import placement
    from bertsquad.distributed.supervisor import Job, supervise
    from bertsquad.machine.cores import read_cores

    all_hosts = choose_hosts(args)
    cores = read_cores()
    limits = [limit for limit in (args.threads, cores.whole_quota) if limit is not None]
    places = placement.place(
        placement.usable_nodes(cores),
        args.processes,
        limit=min(limits, default=None),
        communication_cores=args.communication_cores,
    )
    if len(places) == 1 and not all_hosts.several:
        run_alone(args.command)
    tell(description(places, all_hosts.name))
    found = supervise(
        Job(
            command=args.command,
            places=places,
            hosts=all_hosts,
            port=args.port or (DEFAULT_PORT if all_hosts.several else None),
            interface=args.interface,
            others=commands_elsewhere(args, all_hosts),
            secret=job_secret(args, all_hosts),
        )
    )
    # The first host alone reports why a job of several hosts ended.
    if found.message and all_hosts.number == 0:
        tell(f"error: {found.message}")
    return found.status


def choose_hosts(args: argparse.Namespace) -> Hosts:
    from bertsquad.distributed import hosts

    if not args.hosts:
        chosen = hosts.HERE_ALONE
    elif args.hosts == [SLURM] and args.host_number is None:
        chosen = hosts.of_slurm(os.environ)
    else:
        chosen = hosts.listed(args.hosts, args.host_number)
    hosts.check_allocation(chosen, os.environ)
    return chosen


def job_secret(args: argparse.Namespace, all_hosts: Hosts) -> str | None:
    """What the hosts of this job say to each other: new where this one starts the others, which
    read it from their input. Where every host was started with the same command, of the
    environment."""
    import secrets

    if args.host_number is not None:
        return sys.stdin.readline().strip()
    if all_hosts.starts_others:
        return secrets.token_hex()
    return os.environ.get(SECRET_VARIABLE, "") if all_hosts.several else None


def commands_elsewhere(args: argparse.Namespace, all_hosts: Hosts) -> dict[str, list[str]]:
    """Host -> what starts its part from here, for those that this one starts."""
    from bertsquad.distributed.hosts import remote_command

    if not all_hosts.starts_others:
        return {}
    shell = args.remote_shell or ("srun" if args.hosts == [SLURM] else DEFAULT_SHELL)
    options = {
        "processes": args.processes or AUTO,
        "threads": args.threads,
        "communication-cores": AUTO
        if args.communication_cores is None
        else args.communication_cores,
        "hosts": ",".join(all_hosts.names),
        "port": args.port,
        "interface": args.interface,
    }
    given = [f"--{name}={value}" for name, value in options.items() if value is not None]
    script = str(Path(__file__).resolve())
    return {
        name: remote_command(
            shlex.split(shell),
            name,
            [sys.executable, script, *given, f"--host-number={number}", "--", *args.command],
            Path.cwd(),
            os.environ,
        )
        for number, name in enumerate(all_hosts.names)
        if number
    }


def run_alone(command: list[str]) -> NoReturn:
    """Become the command: a single process needs no company and no binding."""
    from bertsquad.distributed.worker import PLACES_VARIABLE

    os.execve(sys.executable, [sys.executable, *command], {**os.environ, PLACES_VARIABLE: "[]"})


def description(places: list[Place], host: str) -> str:
    """What each process of this host gets, in one line."""
    from bertsquad.machine.reading import format_cpu_list

    parts = []
    for place in places:
        part = f"{counted(place.threads, 'thread')} on CPU {format_cpu_list(list(place.cpus))}"
        if place.communication_cpus:
            part += f", communication on {format_cpu_list(list(place.communication_cpus))}"
        if place.memory_nodes:
            part += f", memory of node {format_cpu_list(list(place.memory_nodes))}"
        parts.append(part)
    where = f"host {host}: " if host else ""
    return f"{where}{counted(len(places), 'process')}: {'; '.join(parts)}"


def counted(number: int, what: str) -> str:
    plural = "es" if what.endswith("s") else "s"
    return f"{number} {what}{plural if number != 1 else ''}"


def tell(message: str) -> None:
    say(f"{os.path.basename(sys.argv[0])}: {message}")


def number_or_auto(lowest: int) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        if text == AUTO:
            return None
        if not text.isdecimal() or int(text) < lowest:
            raise argparse.ArgumentTypeError(f"{text!r} is neither auto nor {lowest} or more")
        return int(text)

    return read


def port(text: str) -> int:
    number = int(text)
    if not 1024 <= number <= 65534:
        raise argparse.ArgumentTypeError(f"{text} is not from 1024 to 65534")
    return number


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__, usage="%(prog)s [options] -- COMMAND.py ...")
    add = parser.add_argument
    add(
        "--processes",
        type=number_or_auto(1),
        metavar="N",
        help="on each host; auto (the default): one for each NUMA node that this job may use",
    )
    add("--threads", type=positive, help="cores of a host that all its processes may keep busy")
    add(
        "--communication-cores",
        type=number_or_auto(0),
        metavar="N",
        help="of each process that compute nothing; auto (the default): 1 of 8 or more, else none",
    )
    add(
        "--hosts",
        type=names,
        default=[],
        metavar="A,B",
        help="hosts that take part, this one first; `slurm`: the nodes of the allocation",
    )
    add(
        "--remote-shell",
        metavar="COMMAND",
        help=f"called as `COMMAND host 'command line'`; by default `{DEFAULT_SHELL}`, or srun",
    )
    add(
        "--port",
        type=port,
        help=f"on the first host; the one after it is used, too ({DEFAULT_PORT} with several "
        "hosts; with one, any that is free)",
    )
    add(
        "--interface",
        metavar="NAME",
        help="network interface; by default the one that leads to the other hosts",
    )
    add("--host-number", type=int, help=argparse.SUPPRESS)  # given to the hosts started from here
    add("command", nargs="+", metavar="COMMAND", help="a Python script and its options")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    sys.exit(distribute(args))


if __name__ == "__main__":
    exit_with(main)
