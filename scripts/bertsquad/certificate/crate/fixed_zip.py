"""A zip archive whose bytes follow from its files' bytes: fixed order, time, modes, compression.

Equal files give equal archives with the same zlib. Every byte of the headers follows from the
files, too, and `check_headers` says whether it is as it was written.
"""

import io
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bertsquad.artifacts.archive import refused
from bertsquad.files import written_whole

# Marks an archive as written here. Another program that packs the same files anew leaves none, and
# its headers are not looked at.
COMMENT = b"bertsquad-crate/1"
_EARLIEST = 315_532_800  # 1980-01-01, where a zip archive's time begins
_LATEST = 4_354_819_198  # 2107-12-31 23:59:58
_LEVEL = 6
_CHUNK = 1024 * 1024
_UNIX = 3
_FOLDER_ATTRIBUTE = 0x10  # MS-DOS's
_LIMIT_32 = 0xFFFFFFFF  # what needs more is written as zip64, whose headers are not checked
_LIMIT_16 = 0xFFFF
_CENTRAL = "<4s4B4HL2L5H2L"  # APPNOTE.TXT 4.3.12
_END = "<4s4H2LH"  # 4.3.16


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive: its content, or where it is on disk; None is a folder."""

    name: str
    source: Path | bytes | None
    executable: bool = False


def moment_of(seconds: int) -> tuple[int, int, int, int, int, int]:
    """A time as zip archives hold it: in UTC, to two seconds, from 1980 on."""
    when = time.gmtime(min(max(seconds, _EARLIEST), _LATEST))
    return (when[0], when[1], when[2], when[3], when[4], when[5] // 2 * 2)


def write(path: Path, entries: Iterable[Entry], seconds: int) -> None:
    """Write the archive, whole or not at all; `seconds` since 1970 is the time of all files."""
    moment = moment_of(seconds)
    with written_whole(path) as part, zipfile.ZipFile(part, "w", allowZip64=True) as archive:
        archive.comment = COMMENT
        for entry in sorted(entries, key=lambda each: each.name):
            _add(archive, entry, moment)


def _add(
    archive: zipfile.ZipFile, entry: Entry, moment: tuple[int, int, int, int, int, int]
) -> None:
    info = zipfile.ZipInfo(entry.name, moment)
    info.create_system = _UNIX
    if entry.source is None:
        info.external_attr = (stat.S_IFDIR | 0o755) << 16 | _FOLDER_ATTRIBUTE
        archive.writestr(info, b"")
        return
    info.external_attr = (stat.S_IFREG | (0o755 if entry.executable else 0o644)) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    info._compresslevel = _LEVEL  # type: ignore[attr-defined]  # `open` has no other way
    with _opened(entry.source) as source:
        info.file_size = source.seek(0, io.SEEK_END)
        source.seek(0)
        with archive.open(info, "w") as target:
            while chunk := source.read(_CHUNK):
                target.write(chunk)


def _opened(source: Path | bytes) -> IO[bytes]:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def check_headers(path: Path, archive: zipfile.ZipFile) -> None:
    """`UserError` where an archive that is marked as written here holds headers, or bytes between
    its files, that are not as they were written. One that another program packed passes."""
    if not archive.comment:
        return
    infos = archive.infolist()
    size = path.stat().st_size
    if size >= _LIMIT_32 or len(infos) >= _LIMIT_16:
        return
    if archive.comment != COMMENT or len({info.date_time for info in infos}) > 1:
        raise refused(path, "its headers are not as make_crate.py writes them")
    place, central = 0, b""
    same: list[str] = []
    other: list[str] = []
    with path.open("rb") as file:
        for info in infos:
            local = _local(info)
            file.seek(place)
            if info.header_offset != place or file.read(len(local)) != local:
                raise refused(path, f"the header of {info.filename!r} was changed")
            if not info.is_dir():
                (same if _deflates_to(archive, info, file) else other).append(info.filename)
            place += len(local) + info.compress_size
            central += _central(info)
        end = struct.pack(
            _END, b"PK\5\6", 0, 0, *[len(infos)] * 2, len(central), place, len(COMMENT)
        )
        file.seek(place)
        if file.read() != central + end + COMMENT:
            raise refused(path, "its directory was changed")
    # Several streams may unpack to the same bytes. Another zlib makes others of all files.
    if same and other:
        raise refused(path, f"the data of {other[0]!r} is packed in another way than the rest")


def _deflates_to(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: IO[bytes]) -> bool:
    """Whether a member's content deflates to the bytes that `file` is at."""
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    with archive.open(info) as source:
        while chunk := source.read(_CHUNK):
            packed = packing.compress(chunk)
            if file.read(len(packed)) != packed:
                return False
    packed = packing.flush()
    return file.read(len(packed)) == packed


def _local(info: zipfile.ZipInfo) -> bytes:
    """The header before a member's bytes, as `zipfile` writes it."""
    return _as_written(info).FileHeader(zip64=False)


def _as_written(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """What `_add` makes of a file of this name, size and checksum."""
    made = zipfile.ZipInfo(info.filename, info.date_time)
    made.create_system = _UNIX
    made.CRC, made.file_size, made.compress_size = info.CRC, info.file_size, info.compress_size
    made.header_offset = info.header_offset
    if info.is_dir():
        made.external_attr = (stat.S_IFDIR | 0o755) << 16 | _FOLDER_ATTRIBUTE
    else:
        executable = bool(info.external_attr >> 16 & stat.S_IXUSR)
        made.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
        made.compress_type = zipfile.ZIP_DEFLATED
    return made


def _central(info: zipfile.ZipInfo) -> bytes:
    """A member's entry of the directory at the end."""
    made = _as_written(info)
    year, month, day, hour, minute, second = made.date_time
    name = made.filename.encode()
    head = struct.pack(
        _CENTRAL,
        b"PK\1\2",
        zipfile.DEFAULT_VERSION,
        made.create_system,
        zipfile.DEFAULT_VERSION,
        0,
        0 if name.isascii() else 0x800,  # the name is UTF-8
        made.compress_type,
        hour << 11 | minute << 5 | second // 2,
        (year - 1980) << 9 | month << 5 | day,
        made.CRC,
        made.compress_size,
        made.file_size,
        len(name),
        0,
        0,
        0,
        0,
        made.external_attr,
        made.header_offset,
    )
    return head + name
