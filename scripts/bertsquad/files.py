"""Files written whole or not at all, and JSON that is identical when its content is."""

import errno
import fcntl
import glob
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.console.starter import check_wanted

_MOST_WRITERS = 64  # of one file at the same time
# What git-lfs leaves in the place of a large file (git-lfs, docs/spec.md).
_LFS_START = b"version https://git-lfs.github.com/spec/"
LFS_POINTER = (
    "a git-lfs pointer of a few lines, not the file itself; fetch that by `git lfs pull` or from "
    "its download address"
)


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside `path` that becomes `path` only when the block ends without error.

    On error the old file stays, and so it does where the Snakemake that started this command has
    ended: its successor may have written a newer one. Each of several writers has a temporary file
    of its own, `.NAME.part`, `.NAME.1.part` and so on, locked as long as it writes. What a killed
    one left is overwritten or removed by the next, and never taken for the result. The block
    writes to the file that is there and puts no other in its place.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part, descriptor = _locked_part(path)
    try:
        yield part
        publish(descriptor, part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT) and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    _remove_left_parts(path)


def _part_names(path: Path) -> Iterator[Path]:
    yield path.with_name(f".{path.name}.part")
    for number in range(1, _MOST_WRITERS):
        yield path.with_name(f".{path.name}.{number}.part")


def _locked_part(path: Path) -> tuple[Path, int]:
    """The first temporary file that no living process holds, emptied, and its descriptor."""
    for part in _part_names(path):
        descriptor = _lock(part, create=True)
        if descriptor is not None:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.ftruncate(descriptor, 0)
            return part, descriptor
    raise UserError(
        f"{path}: {_MOST_WRITERS} processes are writing this file; run again when they end"
    )


def _lock(part: Path, *, create: bool) -> int | None:
    """A descriptor of `part` that locks it, or None where another process has it."""
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    return _lock_open(part, os.open(part, flags, 0o666))


def _lock_open(part: Path, descriptor: int) -> int | None:
    """`descriptor`, opened as `part`, once it locks what is there by that name; else None."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        pass  # a file system without locks: go on unguarded
    try:
        # Its writer may have published it meanwhile: then the lock is on the result itself.
        if os.path.samestat(os.fstat(descriptor), os.stat(part)):  # noqa: PTH116
            return descriptor
    except FileNotFoundError:
        pass
    os.close(descriptor)
    return None


def _remove_left_parts(path: Path) -> None:
    """Remove what killed writers of `path` left beside the file that was just written."""
    names = set(_part_names(path))
    for part in path.parent.glob(f".{glob.escape(path.name)}.*part"):
        if part in names:
            with suppress(OSError):
                descriptor = _lock(part, create=False)
                if descriptor is not None:
                    part.unlink(missing_ok=True)
                    os.close(descriptor)


def publish(descriptor: int, part: Path, path: Path) -> None:
    """Put a finished file, which `descriptor` has open, in its place in one step that outlasts a
    power failure; `UserError` where nobody wants it any more (`check_wanted`)."""
    os.fsync(descriptor)
    check_wanted(path)
    os.replace(part, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename in a folder outlast a power failure."""
    with suppress(OSError):  # a file system that cannot
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """An empty folder inside `folder`, for the files of a library that chooses their names.

    Each of several writers has one of its own, `.part`, `.1.part` and so on, locked as long as it
    is there. What a killed one left is emptied or removed by the next.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [".part", *(f".{number}.part" for number in range(1, _MOST_WRITERS))]
    for part in (folder / name for name in names):
        descriptor = _lock_folder(part)
        if descriptor is not None:
            break
    else:
        raise UserError(f"{folder}: {_MOST_WRITERS} processes write here; run again when they end")
    try:
        for path in part.iterdir():
            _remove(path)
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        os.close(descriptor)
        for left in (folder / name for name in names):
            found = _lock_folder(left) if left.is_dir() else None
            if found is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(found)


def _lock_folder(part: Path) -> int | None:
    """As `_lock`, of a folder, which is made."""
    part.mkdir(exist_ok=True)
    return _lock_open(part, os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def publish_folder_file(part: Path, path: Path) -> None:
    """Put a finished file of a temporary folder in its place, as `written_whole` does."""
    with part.open("rb+") as handle:
        publish(handle.fileno(), part, path)


def is_lfs_pointer(start: bytes) -> bool:
    """Whether a file that starts with these bytes only names another one, in git-lfs's way."""
    return start.lstrip(b"\xef\xbb\xbf").startswith(_LFS_START)


def refuse_lfs_pointer(path: str | os.PathLike[str]) -> None:
    """Raise `UserError` where a file that should hold data is a git-lfs pointer."""
    with open(path, "rb") as file:
        if is_lfs_pointer(file.read(len(_LFS_START) + 3)):
            raise UserError(f"{path}: {LFS_POINTER}")


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike[str], value: Any, *, sort_keys: bool = True) -> None:
    """Write JSON with an indent, a final newline and (unless order has meaning) sorted keys."""
    text = json.dumps(value, indent=2, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def read_json(path: str | os.PathLike[str], loads: Callable[[str], Any] | None = None) -> Any:
    """Read JSON, with or without a byte order mark; `loads` parses the text in another way.

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
        return loads(text) if loads else json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: {_why_not_json(text, error)}") from None
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 1,000 lists deep
        raise UserError(f"{path}: JSON that cannot be read: {error}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _why_not_json(text: str, error: json.JSONDecodeError) -> str:
    """What a text is instead of JSON, for a message."""
    if is_lfs_pointer(text[:200].encode()):
        return LFS_POINTER
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
