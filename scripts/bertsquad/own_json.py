"""JSON that this project writes and reads back.

Read strictly where results rest on it: a name that is twice in an object, a number beyond all
bounds and half a character would be something else to the next reader. Leniently where it only
helps (a cache, an estimate): what is damaged is then as if it were not there.
"""

import json
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.files import read_json

# What looking for a value in JSON of another shape raises.
OTHER_SHAPE = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
    RecursionError,
)
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


def read_own_json(path: str | os.PathLike[str]) -> Any:
    """As `files.read_json`, strictly."""
    return read_json(path, loads=parsed)


def parsed(content: str | bytes) -> Any:
    """The value of a JSON text; ValueError where it is damaged or has two meanings."""
    text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    try:
        value = json.loads(
            text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_once
        )
        if _HALF_CHARACTER.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("objects and lists too deep within each other") from None
    except UnicodeEncodeError:
        raise ValueError("a text with half a character, like \\ud800") from None
    return value


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.40} is too large a number")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"the name {twice[:60]!r} is there twice in an object")
    return found


def json_or_none(path: str | os.PathLike[str]) -> Any:
    """What a file holds that only helps; None where it is missing or damaged."""
    try:
        return parsed(Path(path).read_bytes())
    except (OSError, ValueError):
        return None


def object_or_empty(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The same where it should be an object; {} where it is not."""
    found = json_or_none(path)
    return found if isinstance(found, dict) else {}


@contextmanager
def as_written(
    *paths: str | os.PathLike[str], again: str = "delete it and run again"
) -> Iterator[None]:
    """`UserError` that names the files where the block finds them of another shape than this
    version writes; `again` says what to do."""
    try:
        yield
    except OTHER_SHAPE as error:
        named = ", ".join(map(str, paths))
        one = "" if len(paths) == 1 else "one of "
        raise UserError(
            f"{one}{named}: not as this version writes it ({error!r:.80}); {again}"
        ) from error
