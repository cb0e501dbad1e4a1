"""What the kernel, or a container's rules, permit this process: binding and AMX."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bertsquad.machine import trial
from bertsquad.machine.reading import attempt, is_unavailable, unavailable

TRIAL = Path(trial.__file__)
_TRIAL_SECONDS = 10


def try_out(interpreter: str = sys.executable) -> dict[str, str | None]:
    """What a child process was permitted (trial.py): `amx`, `cpu`, `memory`, each None or the
    reason why not. OSError or ValueError where it could not be tried."""
    command = [interpreter, "-I", "-S", str(TRIAL)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=_TRIAL_SECONDS
        )
    except subprocess.SubprocessError as error:
        raise ValueError(f"{TRIAL.name} failed: {error}") from error
    outcomes: dict[str, str | None] = json.loads(done.stdout)
    return outcomes


def describe_binding(tried: Any) -> Any:
    """machine.json's `binding`: for `cpu` and `memory`, whether it is permitted, and why not."""
    if is_unavailable(tried):
        return tried
    return {
        what: {"permitted": tried[what] is None, "reason": tried[what]}
        for what in ("cpu", "memory")
    }


def describe_amx(built_in: bool, visible: bool, tried: Any) -> dict[str, Any]:
    """machine.json's `amx`: the processor has it (by its model), the kernel shows it (its flags),
    and gives it to a process that asks."""
    if not visible:
        reason = "the kernel does not show it" if built_in else "this processor has none"
        return {"in_processor": built_in, "shown": False, "permitted": False, "reason": reason}
    if is_unavailable(tried):
        return {"in_processor": True, "shown": True, "permitted": tried, "reason": None}
    reason = tried["amx"]
    return {"in_processor": True, "shown": True, "permitted": reason is None, "reason": reason}


def permissions() -> Any:
    """`try_out`, or `unavailable`."""
    if not sys.platform.startswith("linux"):
        return unavailable("this can be tried on Linux alone")
    return attempt(try_out)
