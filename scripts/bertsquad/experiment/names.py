"""Names for what is at a path, fit for files and tables."""

import hashlib
import os
import re
from pathlib import Path

_LONGEST_NAME = 60  # it is part of the names of files, of which a file system allows 255 bytes


def name_of(path: str) -> str:
    """A name for what is at a path, from the path as it is seen from here."""
    return file_name(list(Path(os.path.relpath(path)).parts))


def file_name(parts: list[str]) -> str:
    """The parts of a path, or of another name, as one name of letters, digits, '-', '_', '.'."""
    words = (re.sub(r"[^A-Za-z0-9_.-]+", "-", part).strip("-.") for part in parts)
    name = "-".join(word for word in words if word)
    if len(name) > _LONGEST_NAME or not re.match("[A-Za-z0-9]", name):
        digest = hashlib.sha256("/".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
        name = f"own-{digest[:8]}-{name[-_LONGEST_NAME // 2 :].lstrip('-._')}".rstrip("-")
    return name
