"""A command ends with the Snakemake that started it.

Snakemake killed by force cannot tell its jobs. One that goes on alone would publish its result
later, over what the next run made meanwhile. So a command that a Snakemake started looks every
second whether that one still runs, and once more before it publishes a file.
"""

import os
import signal
import threading
import time
from pathlib import Path

from bertsquad.console.errors import UserError

_LOOK_EVERY_S = 1.0
_END_WITHIN_S = 10.0  # after SIGTERM; then SIGKILL

_snakemakes: list[tuple[int, str]] = []  # process id and start time of those this one descends from


def end_with_starter() -> None:
    """Watch the Snakemake processes among this process's ancestors from now on.

    When one has ended, this process and those that it started are ended, too. Without any, as for
    a command by hand or in a Docker container, nothing is watched.
    """
    _snakemakes[:] = _find_snakemakes()
    if _snakemakes:
        threading.Thread(target=_watch, args=(os.getpid(),), daemon=True).start()


def check_wanted(path: str | os.PathLike[str]) -> None:
    """Raise `UserError` where the Snakemake that started this process has ended."""
    if not all(map(_is_running, _snakemakes)):
        raise UserError(
            f"{path}: not written, since the Snakemake that started this command has ended: "
            "run Snakemake again"
        )


def _watch(command: int) -> None:
    while all(map(_is_running, _snakemakes)):
        time.sleep(_LOOK_EVERY_S)
    import psutil

    started = [psutil.Process(command), *psutil.Process(command).children(recursive=True)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in reversed(started):  # this one last
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        time.sleep(_END_WITHIN_S)


def _find_snakemakes() -> list[tuple[int, str]]:
    found = []
    process = os.getppid()
    while process > 1:
        parent, started = _parent_and_start(process)
        if parent is None:
            break
        if _is_snakemake(process):
            found.append((process, started))
        process = parent
    return found


def _is_running(process: tuple[int, str]) -> bool:
    return _parent_and_start(process[0])[1] == process[1]


def _parent_and_start(process: int) -> tuple[int | None, str]:
    """Parent and start time (clock ticks since boot) of a process; None and "" where it has ended.

    Fields 3, 4 and 22 of /proc/PID/stat (proc_pid_stat(5)), behind the name in brackets.
    """
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None, ""
    fields = text.rpartition(")")[2].split()
    if fields[0] == "Z":
        return None, ""
    return int(fields[1]), fields[19]


def _is_snakemake(process: int) -> bool:
    """Is it Python that runs `snakemake` or `-m snakemake`?"""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[:4]
    except OSError:
        return False
    names = [os.path.basename(word) for word in words]
    return b"snakemake" in names and (names[0] == b"snakemake" or names[0].startswith(b"python"))
