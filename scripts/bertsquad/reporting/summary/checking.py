"""Whether the values of a result file fit the columns that they go into."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.reporting.summary.columns import COLUMNS

_KINDS = {column.name: column.kind for column in COLUMNS}
_LARGEST_INTEGER = 2**63 - 1  # of a column in memory
_EXPECTED = {
    "text": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a finite number",
}


def checked(path: str | Path, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row, whose values are of their columns' types or None; `UserError` that names the file
    and the column otherwise. Keys that are no columns are not looked at."""
    for name, value in row.items():
        kind = _KINDS.get(name)
        if kind is not None and value is not None and not _fits(value, kind):
            raise UserError(
                f"{path}: {name} is {value!r:.60}, expected {_EXPECTED[kind]}; make the file again"
            )
    return dict(row)


def _fits(value: Any, kind: str) -> bool:
    if kind == "text":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool) or not hasattr(value, "__float__") or isinstance(value, str):
        return False
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    if not math.isfinite(number):
        return False
    return kind == "number" or (number.is_integer() and abs(number) <= _LARGEST_INTEGER)
