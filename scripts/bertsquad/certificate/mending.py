"""Results of code that was edited while they were made are made again.

Snakemake hashes a job's inputs, its code among them, when the job has ended. What was edited while
the job ran, or before Snakemake noticed its end, it takes for what the job used: "Nothing to be
done". The job itself knows better (its record), so before Snakemake plans, its metadata is made to
hold what is true. Snakemake then plans the job again and names the edited files.

Who wants to keep such a result says so by `snakemake --touch`: what Snakemake has started since a
job recorded itself is left alone.
"""

import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertsquad.certificate.metadata import as_seconds, checksums, metadata_path, read_metadata
from bertsquad.certificate.record import Places, find_records, read_record, write_record
from bertsquad.console.errors import UserError
from bertsquad.files import sha256
from bertsquad.own_json import object_or_empty

# In the place of a checksum: no file has it.
UNKNOWN = "edited while it was used"
_STAMP = ".snakemake_timestamp"  # in a folder that is an output: its time is the folder's
_SHOWN = 3  # names in a line
_BEFORE_S = 1.0  # so much older than the edit an output is made


@dataclass
class Mender:
    """Looks after the results of one working directory; `metadata` is Snakemake's folder."""

    places: Places
    metadata: Path = Path(".snakemake/metadata")
    _now: dict[str, str | None] = field(default_factory=dict)

    def mend(self, logs: Path) -> Iterator[str]:
        """Make Snakemake plan again what used code that was edited meanwhile: a line for each job.

        OSError where metadata cannot be written. A record that is damaged, or of another version,
        says nothing.
        """
        for path in find_records(logs):
            try:
                edited = self._edited(_read(path))
                record = read_record(path) if edited else None
            except (KeyError, TypeError, AttributeError, UserError):
                continue
            if record is None:
                continue
            if edited != record["edited"]:
                write_record(path, {**record, "edited": edited})
            doubted = [self._doubt(output, edited) for output in record["declared"]]
            if any(doubted):
                outputs = [str(self.places.path(name)) for name in record["declared"]]
                yield (
                    f"{record['id']}: {_few(edited)} edited while it ran: to be done again by the "
                    f"next run, or kept by snakemake --touch {shlex.join(outputs)}"
                )

    def _edited(self, record: dict[str, Any]) -> dict[str, str | None]:
        """Modules of a job that Snakemake's metadata does not hold as they were used.

        Nearly all records end at the first question, so they are checked where it matters.
        """
        code: dict[str, str] = record["code"]
        edited: dict[str, str | None] = dict(record["edited"])
        others = [name for name, used in code.items() if self._current(name) != used]
        if not (others or edited) or not record["declared"]:
            return {}
        output = self.places.path(record["declared"][0])
        noted = read_metadata(self.metadata, str(output))
        if noted is None or _is_later(noted.get("starttime"), record["ended"]):
            return {}
        known = checksums(noted)
        for name in others:
            held = known.get(self.places.code_path(name))
            if held not in (None, UNKNOWN, code[name]):
                edited.setdefault(name, held)
        return edited

    def _current(self, name: str) -> str | None:
        """The SHA-256 that a module has now; read once for all records."""
        if name not in self._now:
            try:
                self._now[name] = sha256(self.places.code_path(name))
            except OSError:
                self._now[name] = None
        return self._now[name]

    def _doubt(self, output: str, edited: dict[str, str | None]) -> bool:
        """Let Snakemake's metadata of an output hold no checksum of these modules, and the output
        be older than they are; whether it is an output that Snakemake knows."""
        file = self.places.path(output)
        noted = read_metadata(self.metadata, str(file))
        if noted is None or not file.exists():
            return False
        paths = [self.places.code_path(name) for name in edited]
        before = noted.get("input_checksums") or {}
        doubted = before | dict.fromkeys(paths, f"sha256:{UNKNOWN}")
        if doubted != before:
            where = metadata_path(self.metadata, str(file))
            self._replace(where, noted | {"input_checksums": doubted})
        times = [Path(path).stat().st_mtime_ns for path in paths if Path(path).exists()]
        if times:  # else the job's inputs are others, which Snakemake sees
            _make_older(file, min(times) - int(_BEFORE_S * 1e9))
        return True

    def _replace(self, where: Path, content: dict[str, Any]) -> None:
        """Write metadata whole. The name may have as many characters as a name can have."""
        with tempfile.NamedTemporaryFile(
            "w", dir=self.metadata.parent, prefix="metadata.", delete=False
        ) as file:
            json.dump(content, file)
        shutil.copymode(where, file.name)
        Path(file.name).replace(where)


def _few(names: Collection[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(sorted(names)[:_SHOWN]) + more


def _read(path: Path) -> dict[str, Any]:
    """What a record holds; nothing where there is none or it is damaged."""
    return object_or_empty(path)


def _is_later(started: Any, ended: str) -> bool:
    """Whether Snakemake started a job (seconds since 1970) after the recorded one had ended."""
    end = as_seconds(ended)
    return isinstance(started, int | float) and end is not None and started > end


def _make_older(output: Path, time_ns: int) -> None:
    """Give an output an older time of modification. A folder's is that of a stamp in it."""
    stamp = output / _STAMP
    for file in (stamp, output) if stamp.exists() else (output,):
        if file.lstat().st_mtime_ns > time_ns:
            os.utime(file, ns=(time_ns, time_ns), follow_symlinks=False)
