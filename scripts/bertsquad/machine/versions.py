"""Versions of what computes: from package metadata without importing it, and what PyTorch is
linked with, which only PyTorch knows."""

import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from bertsquad.machine.reading import attempt, read_text, unavailable

PACKAGES = ("torch", "numpy", "tokenizers", "safetensors")
# What changes how PyTorch computes, where it is installed.
_BESIDE_PYTORCH = ("intel-openmp", "mkl")

# In the text of torch.__config__.show().
_LINKED = {
    "onednn": r"(?:MKL-DNN|oneDNN) v(\S+)",
    "mkl_in_torch": r"Math Kernel Library Version ([\d.]+)",
    "openmp": r"OpenMP \d+ \(a\.k\.a\. (OpenMP [\d.]+)\)",
    "torch_kernels": r"CPU capability usage: (.+)",
}
_OPENMP_LIBRARY = re.compile(r"/(lib(?:gomp|iomp5|omp)[^/\s]*)$")
_IMPORT_SECONDS = 60


def versions(installed: Iterable[str] = (), needed: Iterable[str] = PACKAGES) -> dict[str, Any]:
    """`{"python": "3.11.2", "libc": "glibc 2.36", "torch": "2.13.0+cpu", ...}`: `needed` packages
    each as a text or `unavailable`, others only where they are installed."""
    found = {
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()).strip() or "unknown",
        **{name: _version(name) for name in needed},
    }
    optional = {
        name: _version(name) for name in (*installed, *_BESIDE_PYTORCH) if name not in found
    }
    return found | {name: text for name, text in optional.items() if isinstance(text, str)}


def linked_libraries() -> dict[str, Any]:
    """What PyTorch computes with, in this process: `onednn`, `mkl_in_torch`, `openmp` and the
    instructions its kernels were chosen for. It imports PyTorch (seconds, if it is the first)."""
    import torch

    mapped = attempt(lambda: read_text(Path("/proc/self/maps")))
    return parse_linked(torch.__config__.show(), mapped if isinstance(mapped, str) else "")


def parse_linked(build: str, mapped: str) -> dict[str, Any]:
    """From the text of torch.__config__.show() and that of /proc/self/maps."""
    found: dict[str, Any] = {}
    for name, pattern in _LINKED.items():
        match = re.search(pattern, build)
        found[name] = match[1].strip() if match else unavailable("torch.__config__ does not say")
    libraries = {
        match[1] for line in mapped.splitlines() if (match := _OPENMP_LIBRARY.search(line))
    }
    if libraries and isinstance(found["openmp"], str):
        found["openmp"] = f"{', '.join(sorted(libraries))} ({found['openmp']})"
    return found


def linked_libraries_of_a_child() -> dict[str, Any]:
    """The same from a process of its own, so that this one stays small; each `unavailable` where
    PyTorch cannot be imported, with what Python said."""
    program = (
        "import json; from bertsquad.machine.versions import linked_libraries; "
        "print(json.dumps(linked_libraries()))"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
            timeout=_IMPORT_SECONDS,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    except (OSError, subprocess.SubprocessError) as error:
        reason = str(error)
    except ValueError:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return dict.fromkeys(_LINKED, unavailable(f"PyTorch cannot be imported: {reason}"))


def _version(package: str) -> Any:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return unavailable("not installed")
