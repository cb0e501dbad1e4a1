"""Reading what may not be there: a value, or `{"unavailable": reason}`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Unavailable = dict[str, str]


def unavailable(reason: str) -> Unavailable:
    """What machine.json holds in place of a value that could not be read."""
    return {"unavailable": reason}


def is_unavailable(found: Any) -> bool:
    """Whether this stands for a value that could not be read."""
    return isinstance(found, dict) and set(found) == {"unavailable"}


def value(machine: dict[str, Any], *keys: str) -> Any:
    """A value deep in the description; None where the machine would not tell."""
    found: Any = machine
    for key in keys:
        if not isinstance(found, dict) or is_unavailable(found) or key not in found:
            return None
        found = found[key]
    return None if is_unavailable(found) else found


def attempt(read: Callable[[], Any]) -> Any:
    """The result of `read`, or `{"unavailable": reason}` when the system does not tell.

    Only what a missing, forbidden or oddly filled file raises is caught.
    """
    try:
        return read()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return unavailable(f"{where}{error.strerror or error}")
    except (ValueError, LookupError, ArithmeticError) as error:
        return unavailable(str(error) or type(error).__name__)


def read_text(path: Path) -> str:
    """The stripped text of a small file of /proc or /sys, where odd bytes must not stop us."""
    return path.read_text(encoding="utf-8", errors="replace").strip()


def read_status(name: str, root: Path = Path("/")) -> str:
    """One value of /proc/self/status (proc(5)). OSError or LookupError where there is none."""
    for line in read_text(root / "proc/self/status").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return value.strip()
    raise LookupError(f"/proc/self/status has no {name}")


def parse_cpu_list(text: str) -> list[int]:
    """`0-3,8` -> [0, 1, 2, 3, 8]: the kernel's list format (also of NUMA nodes); may be empty."""
    numbers: set[int] = set()
    for part in text.replace("\n", ",").split(","):
        if part.strip():
            first, _, last = part.partition("-")
            numbers.update(range(int(first), int(last or first) + 1))
    return sorted(numbers)


def format_cpu_list(cpus: list[int]) -> str:
    """[0, 1, 2, 3, 8] -> `0-3,8`, as taskset, numactl and Docker's --cpuset-cpus take it."""
    runs: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if runs and cpu == runs[-1][1] + 1:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
