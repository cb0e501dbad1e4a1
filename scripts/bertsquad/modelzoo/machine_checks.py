"""What this machine does not give: nodes, cores, commands, permissions, instructions."""

from collections.abc import Iterator

from bertsquad.machine.cpu import has_native_bf16
from bertsquad.machine.reading import format_cpu_list, parse_cpu_list
from bertsquad.modelzoo.command_line import CommandLine
from bertsquad.modelzoo.facts import Facts
from bertsquad.modelzoo.findings import Check
from bertsquad.modelzoo.line_finders import processes


def nodes_missing(line: CommandLine, facts: Facts) -> str | None:
    ranks = processes(line)
    if line.mode != "training" or ranks <= len(facts.nodes):
        return None
    return f"--mpi_num_processes={ranks} on a machine of {counted(len(facts.nodes), 'NUMA node')}"


def socket_missing(line: CommandLine, facts: Facts) -> str | None:
    socket = int(line.given("socket_id", -1))
    if socket < len(facts.nodes):
        return None
    return f"--socket-id={socket} on a machine of {counted(len(facts.nodes), 'NUMA node')}"


def bound_cpus(line: CommandLine) -> list[int]:
    """The processors that numactl before the launcher binds it to; none: not bound."""
    words = iter(line.prefix)
    for word in words:
        name, equals, value = word.partition("=")
        if name in ("--physcpubind", "-C"):
            text = value if equals else next(words, "")
            return [] if text == "all" else parse_cpu_list(text)
    return []


def cpus_missing(line: CommandLine, facts: Facts) -> str | None:
    missing = sorted(set(bound_cpus(line)) - set(facts.allowed_cpus))
    if not missing:
        return None
    allowed = format_cpu_list(list(facts.allowed_cpus))
    return f"--physcpubind names {format_cpu_list(missing)}, and only {allowed} may be used here"


def several_sockets(line: CommandLine, facts: Facts) -> str | None:
    sockets = {socket for number, socket in facts.socket_of_cpu if number in bound_cpus(line)}
    return f"--physcpubind spans {len(sockets)} sockets" if len(sockets) > 1 else None


def too_many_cores(line: CommandLine, facts: Facts) -> str | None:
    cores = int(line.given("num_cores", -1))
    return f"--num-cores={cores} of {facts.logical}" if cores > facts.logical else None


def no_threads(line: CommandLine, facts: Facts) -> str | None:
    threads = facts.cores_per_socket - 2
    if line.given("num_intra_threads") or threads > 0:
        return None
    if line.mode == "training" and not processes(line):
        return None
    cores = counted(facts.cores_per_socket, "core")
    return f"no --num-intra-threads, and {cores} per socket less 2 are {threads} threads"


def too_many_threads(line: CommandLine, facts: Facts) -> str | None:
    threads = int(line.given("num_intra_threads") or 0)
    cpus = len(bound_cpus(line)) or len(facts.allowed_cpus)
    ranks = processes(line) or 1
    if threads * ranks <= cpus:
        return None
    each = f"{ranks} processes of " if ranks > 1 else ""
    return f"{each}{threads} threads on {counted(cpus, 'processor')}"


def needed_commands(line: CommandLine) -> list[str]:
    """Commands that the launcher runs, and that Python does not bring."""
    ranks = processes(line)
    bound = ranks and line.mode == "training"
    numactl = bound or line.given("socket_id", -1) != -1 or "numactl" in line.prefix
    return [*(["numactl"] if numactl else []), *(["mpirun"] if ranks else [])]


def commands_missing(line: CommandLine, facts: Facts) -> Iterator[str]:
    for command in needed_commands(line):
        if facts.commands is not None and command not in facts.commands:
            yield f"{command} is not installed"


def binding_refused(line: CommandLine, facts: Facts) -> str | None:
    needed = "numactl" in needed_commands(line)
    return f"numactl: {facts.binding_refused}" if needed and facts.binding_refused else None


def emulated(line: CommandLine, facts: Facts) -> bool:
    known = facts.flags is not None
    return line.given("precision") == "bfloat16" and known and not has_native_bf16(facts.flags)


def too_old(line: CommandLine, facts: Facts) -> str | None:
    if facts.flags is None or "avx512f" in facts.flags or DLRS not in facts.image:
        return None
    return f"{facts.image} on a processor without AVX-512"


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


DLRS = "sysstacks/dlrs"
MACHINE = (
    Check(
        "nodes",
        "error",
        nodes_missing,
        "the launcher binds process i to node i, numactl fails for nodes that are not there, and "
        "the launcher still exits with 0",
    ),
    Check("socket", "error", socket_missing, "there is no such node; the launcher refuses it"),
    Check("cpus", "error", cpus_missing, "numactl aborts with `cpu argument is out of range`"),
    Check("too-many-cores", "error", too_many_cores, "the launcher refuses it"),
    Check("no-threads", "error", no_threads, "OMP_NUM_THREADS would say so; give a number"),
    Check(
        "commands",
        "error",
        commands_missing,
        "the shell behind the launcher does not find it, and the launcher still exits with 0",
    ),
    Check(
        "binding",
        "error",
        binding_refused,
        "memory may not be bound here; a container needs the capability SYS_NICE or "
        "seccomp=unconfined",
    ),
    Check(
        "avx512",
        "error",
        too_old,
        "its TensorFlow was built for AVX-512 and ends with `Illegal instruction`",
    ),
    Check("sockets", "warning", several_sockets, "half of the memory is then far away"),
    Check("threads", "warning", too_many_threads, "they take turns"),
    Check(
        "bf16",
        "warning",
        emulated,
        "this processor has no BF16 instructions: bfloat16 is emulated and slow",
    ),
)
