"""Take one member, or all, out of a zip archive that nobody vouches for.

The whole central directory is judged before the first byte is unpacked, and what is unpacked must
be exactly what was declared: its size, then its CRC-32.
"""

import copy
import errno
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bertsquad.artifacts.space import check_space
from bertsquad.console.errors import UserError
from bertsquad.console.progress import Progress
from bertsquad.console.quantities import readable_bytes
from bertsquad.console.suggestions import did_you_mean
from bertsquad.files import refuse_lfs_pointer, written_whole

MAX_SIZE = 16 * 10**9  # bytes, all members; Intel's checkpoint, the largest here, needs about 4
MAX_RATIO = 200  # deflate can reach 1032; text reaches about 20, weights 1.1
_RATIO_FREE = 10**6  # bytes: a smaller archive is not a bomb, whatever its ratio
_LOCAL_HEADER = 30  # bytes before the name (APPNOTE.TXT 4.3.7)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the two that unpack in bounded memory
_CHUNK = 1024 * 1024
_ENCRYPTED = 0x1 | 0x40  # flag bits: traditional, strong
BROKEN = (  # what zipfile raises on archives that are damaged, or made to look so
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)


def extract_member(
    archive: Path,
    member: str,
    output: Path,
    *,
    max_size: int = MAX_SIZE,
    max_ratio: float = MAX_RATIO,
) -> int:
    """Write one member to `output`, whole or not at all; its size in bytes.

    `UserError` when the archive is not a zip, is damaged, or holds anything suspicious (see
    `check_directory`), when the member is missing or not what the directory declares, or when the
    disk has no room.
    """
    if not archive.is_file():
        raise UserError(f"{archive}: no such file; download it first")
    try:
        with zipfile.ZipFile(archive) as opened:
            check_directory(archive, opened.infolist(), max_size=max_size, max_ratio=max_ratio)
            info = _find(archive, opened, member)
            check_space(output, info.file_size)
            with written_whole(output) as part:
                _unpack(archive, opened, info, part)
    except BROKEN as error:
        raise damaged(archive, f"{member}: {error}") from error
    except OSError as error:
        if error.errno == errno.EINVAL and error.filename is None:  # a seek to nowhere
            raise damaged(archive, f"{member}: {error}") from error
        raise
    return info.file_size


def check_directory(
    archive: Path, infos: list[zipfile.ZipInfo], *, max_size: int, max_ratio: float
) -> None:
    """`UserError` for what an honest archive of data never holds, whichever member is wanted.

    Names that leave the folder, links and devices, encryption, unknown compression, two members of
    one name, members that share bytes, and more data than `max_size` bytes or `max_ratio` times the
    archive's own size.
    """
    seen: dict[PurePosixPath, str] = {}
    for info in infos:
        reason = _suspicion(info)
        place = PurePosixPath(info.filename)
        if reason is None and place in seen:
            reason = "is there twice"
        if reason is not None:
            raise refused(archive, f"member {info.orig_filename!r} {reason}")
        seen[place] = info.filename
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise refused(archive, f"member {info.filename!r} shares bytes with another one")
        end = info.header_offset + _LOCAL_HEADER + info.compress_size
    declared = sum(info.file_size for info in infos)
    if declared > max_size:
        raise refused(
            archive,
            f"it declares {readable_bytes(declared)}, more than --max-size "
            f"{readable_bytes(max_size)} allows",
        )
    ratio = declared / max(1, archive.stat().st_size)
    if declared > _RATIO_FREE and ratio > max_ratio:
        raise refused(
            archive,
            f"it declares {ratio:,.0f} times its own size, more than --max-ratio {max_ratio:g} "
            "allows, as zip bombs do",
        )


def _suspicion(info: zipfile.ZipInfo) -> str | None:
    """Why a member must not be trusted, or None."""
    name = info.orig_filename
    parts = re.split(r"[/\\]", name)
    if not name or "\0" in name:
        return "has no usable name"
    if name[0] in "/\\" or re.match(r"[A-Za-z]:", name):
        return "has an absolute path"
    if ".." in parts:
        return "leaves the folder it is unpacked in"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a symbolic link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a device or another special file"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return f"has compression method {info.compress_type}; stored and deflated are supported"
    return None


def _find(archive: Path, opened: zipfile.ZipFile, member: str) -> zipfile.ZipInfo:
    """The member's entry; `UserError` with near names when there is none."""
    files = [info.filename for info in opened.infolist() if not info.is_dir()]
    if member not in files:
        raise UserError(f"{archive}: no member {member!r}; {did_you_mean(member, files)}")
    return opened.getinfo(member)


def _unpack(archive: Path, opened: zipfile.ZipFile, info: zipfile.ZipInfo, part: Path) -> None:
    """Write the member's bytes to `part`."""
    with (
        part.open("wb") as target,
        Progress(info.file_size, what=info.filename, unit="B") as progress,
    ):
        for chunk in chunks(archive, opened, info):
            target.write(chunk)
            progress.update(len(chunk))


def chunks(archive: Path, opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member's bytes in pieces, stopping as soon as there are more than declared.

    `zipfile` cuts a member off at its declared size. So it gets another one, and is asked for one
    byte more than the declared: that makes a lie visible.
    """
    asked = copy.copy(info)
    asked.file_size = sys.maxsize
    read = 0
    with opened.open(asked) as source:
        while chunk := source.read(min(_CHUNK, info.file_size + 1 - read)):
            read += len(chunk)
            if read > info.file_size:
                raise refused(
                    archive,
                    f"member {info.filename!r} holds more than the {info.file_size:,} bytes it "
                    "declares, as zip bombs do",
                )
            yield chunk
    if read != info.file_size:
        raise zipfile.BadZipFile(f"found {read:,} bytes, {info.file_size:,} are declared")


def refused(archive: Path, reason: str) -> UserError:
    """The archive is readable but not to be trusted."""
    return UserError(
        f"{archive}: {reason}; nothing was unpacked: get the archive from its publisher"
    )


def damaged(archive: Path, reason: str) -> UserError:
    """The archive cannot be read."""
    refuse_lfs_pointer(archive)
    size = archive.stat().st_size
    return UserError(
        f"{archive}: not a whole zip archive ({size:,} bytes; {reason}); "
        "it may be truncated: delete it and download it again"
    )
