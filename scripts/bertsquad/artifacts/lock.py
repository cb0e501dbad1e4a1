"""The lock file: the SHA-256 that each unpinned artifact had when it was first downloaded."""

import fcntl
import os
import re
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.files import read_json, write_json

_SHA256 = re.compile(r"[0-9a-f]{64}")


def locked_sha256(lock: Path, artifact: str) -> str | None:
    """The recorded SHA-256 of an artifact, or None where nothing is recorded yet.

    `UserError` when the lock file is not what `record` writes.
    """
    entry = _read(lock).get(artifact)
    return entry["sha256"] if entry else None


def record(lock: Path, artifact: str, *, sha256: str, size: int, url: str) -> None:
    """Add an artifact, or confirm what is recorded; safe against other processes doing the same.

    `UserError` when another SHA-256 is recorded: another process downloaded other bytes meanwhile.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    guard = lock.with_name(f".{lock.name}.guard")  # never removed: removing a lock file is a race
    with guard.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        entries = _read(lock)
        known = entries.get(artifact)
        if known is None:
            entries[artifact] = {"sha256": sha256, "size": size, "url": url}
            write_json(lock, entries)
        elif known["sha256"] != sha256:
            raise UserError(
                f"{lock}: {artifact} is recorded with sha256 {known['sha256']}, found {sha256}; "
                "if the new file is right, remove that entry and run again"
            )


def _read(lock: Path) -> dict[str, dict[str, Any]]:
    if not os.path.lexists(lock):
        return {}
    entries = read_json(lock)
    if not isinstance(entries, dict):
        raise UserError(f"{lock}: expected a JSON object of artifacts; restore or delete the file")
    for name, entry in entries.items():
        sha256 = entry.get("sha256") if isinstance(entry, dict) else None
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise UserError(
                f"{lock}: the entry of {name} has no sha256 of 64 lower-case hex digits; "
                "restore the file or remove the entry"
            )
    return entries
