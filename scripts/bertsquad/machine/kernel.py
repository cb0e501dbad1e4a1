"""The operating system and the settings of it that change a measurement."""

import os
import platform
from pathlib import Path
from typing import Any

from bertsquad.machine.reading import read_text


def operating_system(root: Path = Path("/")) -> str:
    """The distribution's own name, such as `Debian GNU/Linux 12 (bookworm)`."""
    for name in ("etc/os-release", "usr/lib/os-release"):
        if (root / name).is_file():
            for line in read_text(root / name).splitlines():
                if line.startswith("PRETTY_NAME="):
                    return line.partition("=")[2].strip("\"'")
    return platform.platform()


def frequency_governor(root: Path = Path("/")) -> str:
    """The clock policy: `performance`, `schedutil`, ..., all of them if processors differ."""
    system = root / "sys/devices/system/cpu"
    files = sorted(system.glob("cpu[0-9]*/cpufreq/scaling_governor"))
    if not files:
        raise LookupError("cpufreq is not exposed (virtual machines and containers hide it)")
    return ", ".join(sorted({read_text(file) for file in files}))


def turbo(root: Path = Path("/")) -> bool:
    """Whether the clock may rise above its nominal rate."""
    system = root / "sys/devices/system/cpu"
    if (system / "intel_pstate/no_turbo").is_file():
        return read_text(system / "intel_pstate/no_turbo") == "0"
    if (system / "cpufreq/boost").is_file():
        return read_text(system / "cpufreq/boost") == "1"
    raise LookupError("neither intel_pstate/no_turbo nor cpufreq/boost is exposed")


def transparent_huge_pages(root: Path = Path("/")) -> str:
    """`always`, `madvise` or `never`."""
    return selected_word(read_text(root / "sys/kernel/mm/transparent_hugepage/enabled"))


def selected_word(text: str) -> str:
    """`always [madvise] never` -> `madvise`."""
    for word in text.split():
        if word.startswith("[") and word.endswith("]"):
            return word[1:-1]
    raise ValueError(f"no choice is marked in {text!r}")


def load_average() -> list[float]:
    """Mean number of running or waiting threads in the last 1, 5 and 15 minutes, the kernel's."""
    return [round(value, 2) for value in os.getloadavg()]


# Set by users, Snakemake or an image; each changes threads, placement or allocation.
_VARIABLES_THAT_MATTER = [
    "OMP_NUM_THREADS",
    "OMP_PROC_BIND",
    "OMP_PLACES",
    "OMP_WAIT_POLICY",
    "GOMP_CPU_AFFINITY",
    "GOMP_SPINCOUNT",
    "KMP_AFFINITY",
    "KMP_BLOCKTIME",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "ONEDNN_MAX_CPU_ISA",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ATEN_CPU_CAPABILITY",
    "LD_PRELOAD",
    "MALLOC_ARENA_MAX",
    "MALLOC_CONF",
    "GLIBC_TUNABLES",
    "THP_MEM_ALLOC_ENABLE",
]


def measurement_environment(environment: Any = os.environ) -> dict[str, str]:
    """The environment variables that are set and change how fast a process computes."""
    return {name: environment[name] for name in _VARIABLES_THAT_MATTER if name in environment}
