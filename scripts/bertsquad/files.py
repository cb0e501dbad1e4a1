"""Files written whole or not at all, and JSON that is identical when its content is."""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside `path` that becomes `path` only when the block ends without error.

    The temporary name is fixed (`.NAME.part`), so what a killed process leaves behind is
    overwritten by the next attempt and never taken for the result. On error the old file stays.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        with part.open("rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT) and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike[str], value: Any, *, sort_keys: bool = True) -> None:
    """Write JSON with an indent, a final newline and (unless order has meaning) sorted keys."""
    text = json.dumps(value, indent=2, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read JSON, with or without a byte order mark.

    Malformed or missing is a `UserError` that names the file and the place, and says so where the
    file is JSON Lines or no JSON at all.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 text (byte {error.start}); expected JSON in UTF-8"
        ) from None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: {_why_not_json(text, error)}") from None
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 1,000 lists deep
        raise UserError(f"{path}: JSON that cannot be read: {error}") from None


def _why_not_json(text: str, error: json.JSONDecodeError) -> str:
    """What a text is instead of JSON, for a message."""
    place = f"line {error.lineno}, column {error.colno}"
    if text.lstrip()[:1] not in tuple("{[") and text.strip():
        return (
            f"no JSON at all, it begins with {text.strip()[:30]!r} (a CSV file, a page?); expected "
            'JSON, which begins with "{" or "["'
        )
    if error.msg == "Extra data":
        return (
            f"JSON Lines: another value begins at {place}; expected one JSON value in the whole "
            "file, so put the lines into the structure that is asked for"
        )
    return (
        f"not valid JSON at {place}: {error.msg}; the file may be incomplete, so fetch or make it "
        "again"
    )


def sha256(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
