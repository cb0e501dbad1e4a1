"""What `make doctor` and machine.json say of the compiled kernels.

As JSON, from a process of its own, since that of the caller may not want PyTorch:

    python -m bertsquad.kernels.status
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass

from bertsquad.console.errors import exit_with
from bertsquad.kernels import building, loading
from bertsquad.kernels.building import Unavailable
from bertsquad.kernels.table import KERNELS


@dataclass(frozen=True, slots=True)
class Status:
    available: bool  # all kernels
    kernels: tuple[str, ...]  # those that are used
    reason: str  # why not all; empty where they are
    help: str  # what would change that; may be empty
    compiler: str  # its first line of --version; empty without one
    key: str  # of sources, options and compiler, 16 hex digits; empty without a compiler


def status() -> Status:
    """Compiles and tests the kernels where that has not been done.

    UserError for a BERTSQUAD_KERNELS that is none of its settings.
    """
    if loading.setting() == "off":
        return Status(False, (), f"{loading.SWITCH}=off", f"unset {loading.SWITCH}", "", "")
    ready, failed = [], []
    for kernel in KERNELS:
        try:
            loading.load(kernel)
            ready.append(kernel.name)
        except Unavailable as error:
            failed.append(error)
    reason, help = (str(failed[0]), failed[0].help) if failed else ("", "")
    return Status(not failed, tuple(ready), reason, help, *compiler_and_key())


def compiler_and_key() -> tuple[str, str]:
    try:
        compiler = building.find_compiler()
        keys = [building.key_of(kernel, compiler) for kernel in KERNELS]
        version = building.compiler_version(compiler[0])
    except Unavailable:
        return "", ""
    key = hashlib.sha256("".join(keys).encode()).hexdigest()[:16]
    return version or os.path.basename(compiler[0]), key


def main() -> None:
    print(json.dumps(asdict(status()), indent=2, sort_keys=True))


if __name__ == "__main__":
    exit_with(main)
