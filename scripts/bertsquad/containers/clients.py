"""Which process a container belongs to, so that one whose process is gone can be removed."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

import psutil

LABEL = "bertsquad.client"
_PLACE = "bertsquad.place"
_PROC = Path("/proc")


def labels_of(pid: int, working_directory: str, proc: Path = _PROC) -> dict[str, str]:
    """The labels of a container that the process `pid` waits for."""
    return {
        LABEL: _identity(pid, proc),
        _PLACE: place(proc),
        "bertsquad.folder": working_directory,
    }


def place(proc: Path = _PROC) -> str:
    """Where our process numbers are valid: this host, user and namespace of process numbers."""
    try:
        space = str((proc / "self/ns/pid").readlink())
    except OSError:
        space = "unknown"
    return f"{socket.gethostname()} {space} user {os.getuid()}"


def _identity(pid: int, proc: Path = _PROC) -> str:
    """A process so that no later one of the same number is taken for it."""
    return f"{pid} started {_start(pid, proc)} boot {_boot(proc)}"


def is_orphan(labels: Mapping[str, str], proc: Path = _PROC) -> bool:
    """Whether a container was started here by a process that is gone."""
    if labels.get(_PLACE) != place(proc) or LABEL not in labels:
        return False
    number = labels[LABEL].split()[0]
    return not number.isdigit() or _identity(int(number), proc) != labels[LABEL]


def _start(pid: int, proc: Path) -> str:
    """When the process started, in clock ticks since boot: field 22 of /proc/PID/stat, counted from
    after the command's name, which may hold anything. Not psutil's `create_time`: it is a date,
    which moves when the clock is set, and then a living client would pass for a dead one.

    Without /proc, as on macOS, only whether there is a process of this number.
    """
    try:
        fields = (proc / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return "unknown" if psutil.pid_exists(pid) else "never"
    return fields[19]


def _boot(proc: Path) -> str:
    try:
        return (proc / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"
