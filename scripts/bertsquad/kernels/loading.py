"""Compiled kernels as functions; without them, PyTorch's own operations and one line that says so.

BERTSQUAD_KERNELS=auto, the default, takes the kernels that this machine can run; `off` takes none;
`on` ends with an error where one cannot be had.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.console.progress import say
from bertsquad.kernels import building, checking
from bertsquad.kernels.building import Unavailable
from bertsquad.kernels.table import Kernel
from bertsquad.machine.cpu import cpu_flags

SWITCH = "BERTSQUAD_KERNELS"
WANTED = "a processor with AVX512-BF16: AMD from Zen 4, Intel Xeon from Sapphire Rapids"
SETTINGS = ("auto", "off", "on")


def find(kernel: Kernel) -> Any | None:
    """The kernel's C function, tested, or None. The first None for a reason is told on stderr.

    UserError when BERTSQUAD_KERNELS is none of its settings, or `on` and there is no kernel.
    """
    chosen = setting()
    if chosen == "off":
        return None
    try:
        return load(kernel)
    except Unavailable as error:
        if chosen == "on":
            raise UserError(f"{SWITCH}=on, but {error}") from error
        tell(f"kernels: PyTorch's own operations are used: {error}")
        return None


def setting() -> str:
    chosen = os.environ.get(SWITCH) or "auto"
    if chosen not in SETTINGS:
        raise UserError(f"{SWITCH} is {chosen!r}; expected one of {', '.join(SETTINGS)}")
    return chosen


def load(kernel: Kernel) -> Any:
    """The kernel's C function. Raises `Unavailable`, for the same reason each time."""
    outcome = outcome_of(kernel)
    if isinstance(outcome, Unavailable):
        raise outcome
    return outcome


@cache
def outcome_of(kernel: Kernel) -> Any | Unavailable:
    """A process tries once."""
    try:
        return open_library(kernel)
    except Unavailable as error:
        return error


def open_library(kernel: Kernel) -> Any:
    missing = [name for name in kernel.instructions if name not in cpu_flags()]
    if missing:
        raise Unavailable(f"this processor lacks {missing[0]}", WANTED)
    function = function_of(kernel, str(building.library_of(kernel)))
    try:
        checking.CHECKS[kernel.name](function)
    except checking.WrongResult as error:
        raise Unavailable(f"{kernel.name} fails its test: {error}", f"{SWITCH}=off") from error
    return function


def function_of(kernel: Kernel, library: str) -> Any:
    try:
        return getattr(ctypes.CDLL(library), kernel.name)
    except (OSError, AttributeError) as error:
        raise Unavailable(f"{library}: {error}") from error


@cache
def tell(line: str) -> None:
    say(line)
