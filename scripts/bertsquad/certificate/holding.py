"""The files of a crate, whether it is a zip archive or was unpacked into a folder.

Nobody vouches for either: an archive is judged as `artifacts/archive.py` does before its first byte
is unpacked, and a folder must hold plain files.
"""

import calendar
import errno
import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

from bertsquad.artifacts.archive import (
    BROKEN,
    MAX_RATIO,
    MAX_SIZE,
    check_directory,
    chunks,
    damaged,
    refused,
)
from bertsquad.artifacts.space import check_space
from bertsquad.console.errors import UserError

_LARGEST_TEXT = 256 * 10**6  # bytes of a file that is read at once: certificate.json, metadata
_CHUNK = 1024 * 1024


class Holding(Protocol):
    """What holds a crate's files, by their names in the bag."""

    path: Path

    def sizes(self) -> dict[str, int]:
        """Every file and its bytes."""

    def pieces(self, name: str) -> Iterator[bytes]:
        """A file's bytes, bit by bit."""


def sha256_of(held: Holding, name: str) -> str:
    """The SHA-256 of a file."""
    digest = hashlib.sha256()
    for piece in held.pieces(name):
        digest.update(piece)
    return digest.hexdigest()


def read(held: Holding, name: str) -> bytes:
    """A file's content; `UserError` where it is missing or too large to be what it should be."""
    size = held.sizes().get(name)
    if size is None:
        raise UserError(f"{held.path}: no file {name}; expected a crate that make_crate.py wrote")
    if size > _LARGEST_TEXT:
        raise UserError(f"{held.path}: {name} has {size:,} bytes, more than such a file ever has")
    return b"".join(held.pieces(name))


def read_text(held: Holding, name: str) -> str:
    """A file's content as UTF-8 text."""
    try:
        return read(held, name).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{held.path}: {name} is not UTF-8 text (byte {error.start}); it was damaged or changed"
        ) from None


class ZipHolding:
    """A zip archive, already judged."""

    def __init__(self, path: Path, opened: zipfile.ZipFile) -> None:
        self.path = path
        self.opened = opened
        self._files = {info.filename: info for info in opened.infolist() if not info.is_dir()}
        for info in opened.infolist():
            if info.is_dir() and info.file_size:
                raise refused(path, f"the folder {info.filename!r} holds bytes")
        check_places(path, self._files)

    def sizes(self) -> dict[str, int]:
        """Every file and its bytes."""
        return {name: info.file_size for name, info in self._files.items()}

    def pieces(self, name: str) -> Iterator[bytes]:
        """A file's bytes, bit by bit, exactly as many as the archive declares."""
        with _told(self.path):
            yield from chunks(self.path, self.opened, self._files[name])

    def executable(self, name: str) -> bool:
        """Whether its owner may run it."""
        return bool(self._files[name].external_attr >> 16 & stat.S_IXUSR)

    def seconds(self, name: str) -> int:
        """When it was last changed, in seconds since 1970, as `unzip` tells it."""
        try:
            return calendar.timegm((*self._files[name].date_time, 0, 0, 0))
        except ValueError:  # the 0th of a month, in an archive of somebody's
            return 0


class FolderHolding:
    """A folder of plain files."""

    def __init__(self, path: Path, parts: tuple[str, ...]) -> None:
        """`parts` are the files and folders in it that belong to the crate; others are none of
        its business, as what was made by running it again."""
        self.path = path
        self._sizes: dict[str, int] = {}
        for part in parts:
            for place in sorted(_below(path / part)):
                name = place.relative_to(path).as_posix()
                found = place.lstat()
                if not stat.S_ISREG(found.st_mode):
                    raise UserError(f"{place}: a link or special file; a crate has plain files")
                self._sizes[name] = found.st_size

    def sizes(self) -> dict[str, int]:
        """Every file and its bytes."""
        return self._sizes

    def pieces(self, name: str) -> Iterator[bytes]:
        """A file's bytes, bit by bit."""
        with (self.path / name).open("rb") as file:
            while piece := file.read(_CHUNK):
                yield piece


def _below(place: Path) -> Iterator[Path]:
    """A file, or all that is below a folder and is not itself a folder; links are not followed."""
    if not place.is_dir() or place.is_symlink():
        if os.path.lexists(place):
            yield place
        return
    for folder, folders, files in os.walk(place):
        yield from (Path(folder) / name for name in files)
        yield from (Path(folder) / name for name in folders if (Path(folder) / name).is_symlink())


def check_places(path: Path, names: dict[str, zipfile.ZipInfo]) -> None:
    """`UserError` where one member is a file and the folder of another, or has a name that some
    system or program would take for another one."""
    for name in names:
        place = PurePosixPath(name)
        if str(place) != name or "\\" in name or not name.isprintable():
            raise refused(path, f"member {name!r} has a name that is no plain path")
        for parent in place.parents:
            if str(parent) in names:
                raise refused(path, f"member {str(parent)!r} is a file, and the folder of {name!r}")


@contextmanager
def opened_zip(
    path: Path, *, max_size: int = MAX_SIZE, max_ratio: float = MAX_RATIO
) -> Iterator[ZipHolding]:
    """A crate's archive; `UserError` in one line for what is no zip, is damaged, or holds anything
    that an honest archive never holds."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; expected a crate's zip archive or folder")
    with _told(path):
        opened = zipfile.ZipFile(path)
    with opened:
        with _told(path):
            check_directory(path, opened.infolist(), max_size=max_size, max_ratio=max_ratio)
        yield ZipHolding(path, opened)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What `zipfile` raises on a damaged archive as one line."""
    try:
        yield
    except BROKEN as error:
        raise damaged(path, str(error)) from error
    except OSError as error:
        if error.errno == errno.EINVAL and error.filename is None:  # a seek to nowhere
            raise damaged(path, str(error)) from error
        raise


def unpack(held: ZipHolding, folder: Path) -> None:
    """Write all files below `folder`, which must be missing or empty: whole or not at all."""
    check_empty(folder)
    sizes = held.sizes()
    check_space(folder, sum(sizes.values()))
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
    try:
        part.chmod(0o755)
        for name in sizes:
            place = part / name
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as target:
                for piece in held.pieces(name):
                    target.write(piece)
            place.chmod(0o755 if held.executable(name) else 0o644)
            os.utime(place, (held.seconds(name),) * 2)
        if folder.is_dir():
            folder.rmdir()
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def check_empty(folder: Path) -> None:
    """`UserError` unless `folder` is missing, or an empty folder."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UserError(f"{folder}: not a folder; name a new or empty one")
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder}: not empty; name a new or empty folder")
