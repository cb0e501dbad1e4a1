"""What `make bench` leaves: models and the graphs made of them, which take gigabytes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from bertsquad.console.quantities import readable_bytes
from bertsquad.peers.contenders import Work


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; 0 where there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def model_folder(folder: Path, layers: int) -> Path:
    """Where the model of so many layers is, with all that is made of it."""
    return folder / "models" / f"layers-{layers}"


def clear(folder: Path, unfinished: Sequence[Work]) -> list[str]:
    """Remove the models that no unfinished work reads; a line for what was removed and for what
    is left. They are made again, the same, where a work is measured again."""
    needed = {contender.layers for work in unfinished for contender in work.contenders}
    lines = []
    for path in sorted((folder / "models").glob("layers-*")):
        size, layers = size_of(path), int(path.name.removeprefix("layers-").partition("-")[0])
        if layers not in needed:
            shutil.rmtree(path)
            lines.append(f"{path}: {readable_bytes(size)} removed: no work needs it again")
            continue
        names = [w.name for w in unfinished if any(c.layers == layers for c in w.contenders)]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        lines.append(
            f"{path}: {readable_bytes(size)} kept for {', '.join(names[:3])}{more}, "
            "not measured yet: remove it where that is not planned"
        )
    return lines
