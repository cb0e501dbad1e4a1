"""Files by content, each read once a run of the command."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bertsquad.certificate.manifest import class_of, exact_sha256
from bertsquad.certificate.schema import File
from bertsquad.files import sha256


@dataclass
class Hashes:
    """SHA-256 and modification time of files, by path."""

    of_large: Callable[[Path], str] = sha256  # may know some without reading them
    _known: dict[str, str | None] = field(default_factory=dict)
    _times: dict[str, float | None] = field(default_factory=dict)

    def of(self, path: str) -> str | None:
        """A file's SHA-256; None where there is no such file."""
        if path not in self._known:
            self._known[path] = self.of_large(Path(path)) if Path(path).is_file() else None
        return self._known[path]

    def changed(self, path: str) -> float | None:
        """When a file was last written, in seconds since 1970."""
        if path not in self._times:
            try:
                self._times[path] = Path(path).stat().st_mtime
            except OSError:
                self._times[path] = None
        return self._times[path]

    def describe(self, name: str, path: str) -> File | None:
        """A file's entry in the certificate; None where there is no such file."""
        found = self.of(path)
        if found is None:
            return None
        kind = class_of(name)
        file: File = {"sha256": found, "bytes": Path(path).stat().st_size, "class": kind}
        part = exact_sha256(name, Path(path)) if kind == "timed" else None
        return file if part is None else {**file, "exact_sha256": part}
