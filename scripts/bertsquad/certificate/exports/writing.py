"""A folder of texts that is there whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bertsquad.console.starter import check_wanted


def write_folder(folder: Path, texts: Mapping[str, str]) -> int:
    """Write texts by their paths in the folder, which replaces the one that is there; their number.

    ValueError for a path that leads out of it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, text in texts.items():
            path = part / name
            if not path.resolve().is_relative_to(part.resolve()):
                raise ValueError(f"{name} leads out of {folder}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        part.chmod(0o755)
        check_wanted(folder)
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(texts)
