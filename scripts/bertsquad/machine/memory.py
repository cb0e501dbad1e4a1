"""Memory of the machine and of this process, in MiB."""

import os
import sys
from pathlib import Path

from bertsquad.machine.reading import read_text


def parse_kib_lines(text: str) -> dict[str, int]:
    """The `Name:   123 kB` lines of /proc/meminfo and /proc/self/status, in KiB."""
    values = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) == 2 and words[1] == "kB" and words[0].isdigit():
            values[name] = int(words[0])
    return values


def machine_memory_mib(root: Path = Path("/")) -> int:
    """All memory that the kernel manages. OSError or LookupError where none is named."""
    if not (root / "proc/meminfo").is_file() and root == Path("/"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2  # macOS
    return parse_kib_lines(read_text(root / "proc/meminfo"))["MemTotal"] // 1024


def resident_memory_mib() -> float:
    """What this process holds in memory now (VmRSS); its peak where the system gives no more."""
    return _from_status("VmRSS")


def proportional_memory_mib() -> float:
    """What this process holds, pages that several share divided by their number (PSS): the sum over
    processes counts each page once. Resident memory where the system does not tell."""
    try:
        return parse_kib_lines(read_text(Path("/proc/self/smaps_rollup")))["Pss"] / 1024
    except (OSError, LookupError):
        return resident_memory_mib()


def peak_memory_mib() -> float:
    """The most that this process ever held in memory (VmHWM)."""
    return _from_status("VmHWM")


def _from_status(name: str) -> float:
    try:
        return parse_kib_lines(read_text(Path("/proc/self/status")))[name] / 1024
    except (OSError, LookupError):
        import resource  # not on every system

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
