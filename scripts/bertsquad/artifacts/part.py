"""A file that is still on its way: `.NAME.part` beside its goal, and where its bytes come from.

The bytes are only ever appended, and `.NAME.part.json` names the exact version of the remote file
they belong to. So after a kill at any moment what is there is either usable or recognisably not.
"""

import fcntl
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from bertsquad.console.errors import UserError
from bertsquad.files import publish, write_json

_HEADER = re.compile(r"[!-~]([ -~]*[!-~])?")  # a value that a request may carry (RFC 9110, 5.5)


@dataclass(frozen=True)
class Origin:
    """The version of a remote file that partial bytes belong to."""

    url: str
    size: int | None  # bytes of the whole file, as the server declared it
    etag: str | None  # strong ETag only
    last_modified: str | None

    def is_sound(self) -> bool:
        """Whether all of it may be compared and sent, after it was read from a file."""
        headers = [text for text in (self.etag, self.last_modified) if text is not None]
        return (
            isinstance(self.url, str)
            and (self.size is None or (type(self.size) is int and self.size >= 0))
            and all(isinstance(text, str) and _HEADER.fullmatch(text) for text in headers)
        )

    @property
    def validator(self) -> str | None:
        """What `If-Range` takes (RFC 9110, 13.1.5)."""
        return self.etag or self.last_modified


class PartialFile:
    """The partial file of `output`, held by this process alone until the `with` block ends.

    What was not published stays for the next attempt; an empty one is removed.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.path = output.with_name(f".{output.name}.part")
        self.sidecar = output.with_name(f".{output.name}.part.json")
        self.size = 0  # bytes
        self.continued = False  # were bytes of an earlier transfer kept and continued?

    def __enter__(self) -> Self:
        self.output.parent.mkdir(parents=True, exist_ok=True)
        self._open_alone()
        self.size = os.fstat(self.descriptor).st_size
        return self

    def __exit__(self, *_: object) -> None:
        if self.size == 0:
            self._forget()
        os.close(self.descriptor)

    def origin(self) -> Origin | None:
        """Where the bytes so far come from; None when that cannot be known."""
        try:
            origin = Origin(**json.loads(self.sidecar.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError, RecursionError):
            return None
        return origin if origin.is_sound() else None

    def restart(self, origin: Origin | None) -> None:
        """Empty the file and note the version that will fill it.

        Emptied first: a kill between the two leaves no old bytes under the new version's name.
        """
        os.ftruncate(self.descriptor, 0)
        self.size = 0
        self.continued = False
        if origin is None:
            self.sidecar.unlink(missing_ok=True)
        else:
            write_json(self.sidecar, asdict(origin))

    def append(self, data: bytes) -> None:
        """Write `data` at the end. A full disk is an OSError that names the goal."""
        view = memoryview(data)
        try:
            while view:
                written = os.write(self.descriptor, view)
                self.size += written
                view = view[written:]
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.output)) from error

    def publish(self) -> None:
        """Make the verified bytes the goal file, in one step."""
        publish(self.descriptor, self.path, self.output)
        self.tidy()

    def tidy(self) -> None:
        """Remove a sidecar without bytes: what a kill right after publishing leaves."""
        if not self.path.exists():
            self.sidecar.unlink(missing_ok=True)

    def _forget(self) -> None:
        if self._is_current():
            self.path.unlink(missing_ok=True)
            self.sidecar.unlink(missing_ok=True)

    def _open_alone(self) -> None:
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self.descriptor = os.open(self.path, flags, 0o666)
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self.descriptor)
                raise UserError(
                    f"{self.output}: another process is downloading this file; "
                    "wait until it ends and run again"
                ) from None
            except OSError:
                return  # a file system without locks: go on unguarded
            if self._is_current():
                return
            os.close(self.descriptor)  # published by its holder while we waited for the lock

    def _is_current(self) -> bool:
        """Does the path still name the file that is open?"""
        try:
            return os.path.samestat(os.fstat(self.descriptor), os.stat(self.path))  # noqa: PTH116
        except FileNotFoundError:
            return False
