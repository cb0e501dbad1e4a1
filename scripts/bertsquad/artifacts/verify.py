"""Is this file the one that was meant? Size, SHA-256, and signs that it is something else."""

import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bertsquad.files import LFS_POINTER, is_lfs_pointer
from bertsquad.files import sha256 as sha256_of

_HTML_START = re.compile(rb"(\xef\xbb\xbf)?\s*(<!doctype\s+html|<html[\s>])", re.IGNORECASE)
_SNIFFED_BYTES = 512


class Unfit(Exception):
    """The bytes are not the artifact. The message names what was found and what was expected."""


@dataclass(frozen=True)
class Expected:
    """What is known of an artifact before its bytes are here."""

    name: str
    size: int | None  # bytes
    sha256: str | None  # 64 lower-case hex digits
    known_from: str  # where sha256 is written down, for messages

    def admits_html(self) -> bool:
        """Web pages are refused unless one was asked for."""
        return self.name.lower().endswith((".html", ".htm"))


def check_size(size: int, expected: Expected) -> None:
    """Raise `Unfit` when a file of `size` bytes cannot be the artifact."""
    if expected.size is not None and size != expected.size:
        raise Unfit(f"found {size:,} bytes, expected {expected.size:,}")


def check_is_no_page(start: bytes, content_type: str | None, url: str, expected: Expected) -> None:
    """Raise `Unfit` for a git-lfs pointer, and for a web page where none was expected.

    `start`: the first bytes (may be empty); `content_type`: of the answer, or None.
    """
    if is_lfs_pointer(start):
        raise Unfit(f"found {LFS_POINTER}")
    if expected.admits_html():
        return
    declared = (content_type or "").split(";")[0].strip().lower()
    if declared in ("text/html", "application/xhtml+xml"):
        raise Unfit(f"found a web page ({declared}), expected the file itself; {page_cause(url)}")
    if _HTML_START.match(start[:_SNIFFED_BYTES]):
        raise Unfit(f"found a web page, expected the file itself; {page_cause(url)}")


def page_cause(url: str) -> str:
    """The likely reason why an address answers with a web page, and what to do."""
    parts = urlsplit(url)
    folders = parts.path.strip("/").split("/")
    if parts.hostname in ("github.com", "www.github.com") and folders[2:3] == ["blob"]:
        raw = "/".join(folders[:2] + folders[3:])
        return f"GitHub shows files on pages: use https://raw.githubusercontent.com/{raw}"
    if parts.hostname == "huggingface.co" and "blob" in folders:
        resolved = parts.path.replace("/blob/", "/resolve/", 1)
        return f"the hub shows files on pages: use https://huggingface.co{resolved}"
    return "it may be a login or error page, or a proxy's: open the address in a browser"


def verify(path: Path, url: str, expected: Expected) -> str:
    """The SHA-256 of a complete file that may be the artifact; `Unfit` when it cannot be."""
    size = path.stat().st_size
    check_size(size, expected)
    with path.open("rb") as handle:
        check_is_no_page(handle.read(_SNIFFED_BYTES), None, url, expected)
    digest = sha256_of(path)
    if expected.sha256 is None:
        _check_looks_whole(path, size, expected)
    elif digest != expected.sha256:
        raise Unfit(
            f"found sha256 {digest} ({size:,} bytes), "
            f"expected {expected.sha256} ({expected.known_from})"
        )
    return digest


def _check_looks_whole(path: Path, size: int, expected: Expected) -> None:
    """Without a checksum: an empty file, or a zip without its end, is no whole file."""
    if size == 0:
        raise Unfit("found an empty file")
    if expected.name.lower().endswith(".zip") and not zipfile.is_zipfile(path):
        raise Unfit(f"found {os.fspath(path.name)!r} without a zip archive's end: it is incomplete")
