"""Whether the disk has room for a file, asked before its first byte is written."""

import shutil
from pathlib import Path

from bertsquad.console.errors import UserError
from bertsquad.console.quantities import readable_bytes


def check_space(output: Path, needed: int) -> None:
    """`UserError` where the disk has no room for `needed` more bytes of `output`."""
    output.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(output.parent).free
    if needed > free:
        raise UserError(
            f"{output}: needs {readable_bytes(needed)} more, {readable_bytes(free)} are free in "
            f"{output.parent}: disk full; free some space and run again"
        )
