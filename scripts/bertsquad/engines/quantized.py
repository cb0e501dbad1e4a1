"""Where the files of a quantized model lie."""

from __future__ import annotations

from pathlib import Path

from bertsquad.console.errors import UserError


def quantized_file(quantized_dir: str | Path | None, name: str) -> Path:
    """A file of the folder that scripts/quantize.py writes; UserError where it is not there."""
    if quantized_dir is None:
        raise UserError(
            "int8 needs the folder of a quantized model; make one with scripts/quantize.py and "
            "name it by --quantized"
        )
    path = Path(quantized_dir) / name
    if not path.is_file():
        raise UserError(f"{path}: no such file; make the quantized model with scripts/quantize.py")
    return path
