"""Run a command on this machine, its output line by line; whatever ends us ends it, too."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence

GRACE_S = 30  # between SIGTERM and SIGKILL; a container takes 10 to stop


def run_here(
    argv: Sequence[str], environment: Mapping[str, str], say: Callable[[str], None]
) -> int:
    """Run to the end, give every line of output (stdout and stderr as one) to `say`; the exit
    status, negative for a signal. The launcher leaves children behind when it alone is stopped, so
    its whole process group is."""
    process = subprocess.Popen(
        list(argv),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        for line in process.stdout or ():
            say(line)
        return process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
        stop(process)


def interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def stop(process: subprocess.Popen) -> None:
    """End what is left of the process group."""
    for wish in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, wish)
        except ProcessLookupError:
            break
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            continue
