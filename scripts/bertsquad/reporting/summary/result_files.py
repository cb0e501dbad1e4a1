"""Reading a measured file and what its path adds; every mistake names the file."""

from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.own_json import read_own_json


def model_of(path: Path, depth: int) -> tuple[str, str, str]:
    """Run, engine and precision from `{run}/{engine}-{precision}/...`, `depth` levels above."""
    parts = path.parts
    folder = parts[-depth - 1] if len(parts) > depth + 1 else ""
    engine, dash, precision = folder.rpartition("-")
    if not (engine and dash and precision):
        raise UserError(
            f"{path}: expected a path like {{run}}/{{engine}}-{{precision}}/{path.name}"
        )
    return parts[-depth - 2], engine, precision


def made_on(path: Path) -> tuple[str, int]:
    """The kind of machine that computed a file of an engine and precision, from
    `{engine}-{precision}/machines/{machine}/...`, and how deep the file lies; "" and 1 for those of
    `{engine}-{precision}/...`, which are computed once."""
    return (path.parts[-2], 3) if path.parts[-3:-2] == ("machines",) else ("", 1)


def read_object(path: Path) -> dict[str, Any]:
    data = read_own_json(path)
    if not isinstance(data, dict):
        raise UserError(f"{path}: found {type(data).__name__}, expected a JSON object")
    return data


def available(value: Any) -> Any:
    """The value, or None where it is {"unavailable": reason}."""
    return None if isinstance(value, dict) else value


def required_number(path: Path, data: dict[str, Any], key: str) -> float:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError(f"{path}: `{key}` is {value!r}, expected a number; make the file again")
    return value


def optional_pair(path: Path, data: dict[str, Any], key: str) -> tuple[Any, Any]:
    value = data.get(key)
    if value is None:
        return None, None
    if not (isinstance(value, list) and len(value) == 2):
        raise UserError(f"{path}: `{key}` is {value!r}, expected [low, high]; make the file again")
    return value[0], value[1]


def agree(path: Path, data: dict[str, Any], key: str, from_path: Any) -> None:
    """`UserError` unless file and path agree: a renamed folder would mislabel a result."""
    if data.get(key) != from_path:
        raise UserError(
            f"{path}: `{key}` is {data.get(key)!r} in the file but {from_path!r} in its path;"
            " delete the file to measure it again"
        )
