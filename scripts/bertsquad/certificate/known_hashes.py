"""SHA-256 of large files, computed once: a model of 4 GB is an input of hundreds of jobs.

What is known is kept in `<resources>/.sha256.json`, by a file's path, size, time of modification
and inode. It is a cache: where it is damaged, missing or cannot be written, files are read.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertsquad.certificate.json_hash import json_sha256
from bertsquad.files import sha256, write_json
from bertsquad.own_json import object_or_empty

FILE = ".sha256.json"
_LARGE = 100_000_000  # bytes; a second is enough to read smaller ones


@dataclass
class KnownHashes:
    """Hashes of files; `folder` is where what is known is kept."""

    folder: Path
    new: dict[str, Any] = field(default_factory=dict)

    def sha256(self, path: Path) -> str:
        """The SHA-256 of a file; OSError where it cannot be read."""
        state = _state(path)
        if state["size"] < _LARGE:
            return sha256(path)
        key = os.path.relpath(os.path.realpath(path), os.path.realpath(self.folder))
        known = self.new.get(key) or self._read().get(key)
        told = known.get("sha256") if isinstance(known, dict) else None
        if isinstance(told, str) and known == _entry(state, told):
            return told
        digest = sha256(path)
        if _state(path) == state:  # else it was changed while it was read
            self.new[key] = _entry(state, digest)
        return digest

    def save(self) -> None:
        """Add to the file what is new, and drop what is no longer there. What another job adds at
        the same moment may get lost: it is computed again."""
        if not self.new:
            return
        with suppress(OSError, ValueError):
            known = self._read().items()
            entries = {key: entry for key, entry in known if (self.folder / key).exists()}
            write_json(self.folder / FILE, entries | self.new)
            self.new.clear()

    def _read(self) -> dict[str, Any]:
        return object_or_empty(self.folder / FILE)


def _entry(state: dict[str, int], digest: str) -> dict[str, Any]:
    """What the file holds of one; `check` is of all the rest, so that no damage goes unseen."""
    return {**state, "sha256": digest, "check": json_sha256([*state.values(), digest])[:16]}


def _state(path: Path) -> dict[str, int]:
    found = path.stat()
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns, "inode": found.st_ino}
