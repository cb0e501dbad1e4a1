"""One job of a rule, recorded from its start to its end by the process that runs its command."""

import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from bertsquad.certificate.known_hashes import KnownHashes
from bertsquad.certificate.record import (
    FORMAT,
    OUTSIDE,
    Facts,
    Places,
    Record,
    Surroundings,
    cpu_sha256,
    json_sha256,
    listing_sha256,
    record_beside,
    step_id,
    write_record,
)
from bertsquad.certificate.sheets import Sheet, log_of, read_sheet
from bertsquad.console.errors import UserError, note
from bertsquad.files import sha256


class _Imports:
    """Finds nothing itself: it hashes the project's modules at the moment they are imported."""

    def __init__(self, folder: Path, code: dict[str, str]) -> None:
        self.folder, self.code = folder, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if fullname.startswith("bertsquad"):
            base = fullname.replace(".", "/")
            for name in (f"{base}.py", f"{base}/__init__.py"):
                if name in self.code:
                    self.code[name] = _sha256(self.folder / name) or self.code[name]


@dataclass
class RecordedJob:
    """What is known from the job's start. `folder` is the working directory at that time."""

    path: Path  # of the sheet
    written: tuple[int, int] | None  # how the sheet was found
    sheet: Sheet
    claim: dict[str, Any]
    folder: Path
    places: Places
    hashes: KnownHashes
    at_start: dict[str, str] = field(default_factory=dict)  # code, by name
    code: dict[str, str] = field(default_factory=dict)  # the same, as it was imported
    unsure: set[str] = field(default_factory=set)  # modules edited while this process started
    inputs: dict[str, Facts] = field(default_factory=dict)

    @classmethod
    def begin(cls, path: Path, claim: dict[str, Any]) -> "RecordedJob":
        """Forget what an earlier try recorded, and hash code and inputs. Modules that this process
        has imported already, and somebody edited since its start, are `unsure`."""
        record_beside(log_of(path)).unlink(missing_ok=True)
        sheet = read_sheet(path)
        folder, places = Path.cwd(), Places(**sheet["places"])
        hashes = KnownHashes(folder / places.resources)
        job = cls(path, _state(path), sheet, claim, folder, places, hashes)
        now = time.time()
        for module in sheet["code"]:
            digest = _sha256(folder / module)
            if digest is not None:
                name = places.name(module)
                job.at_start[name] = job.code[name] = digest
                if claim["began"] <= (folder / module).stat().st_mtime <= now:
                    job.unsure.add(name)
        sys.meta_path.insert(0, _Imports(folder / places.scripts, job.code))
        job.inputs = job.facts(sheet["inputs"])
        return job

    def end(self) -> None:
        """Write the record and remove the sheet. Nothing is written where an output is missing:
        then the job has failed, and Snakemake says so."""
        sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, _Imports)]
        missing = [path for path in self.sheet["outputs"] if not (self.folder / path).exists()]
        if missing:
            raise UserError(f"{missing[0]} is missing")
        outputs = self.facts(self.sheet["outputs"])
        self.hashes.save()
        surroundings = _surroundings(self.sheet["packages"], self.hashes)
        edited = self.edited()
        write_record(record_beside(log_of(self.path)), self.record(outputs, edited, surroundings))
        if _state(self.path) == self.written:  # else it is a later run's
            self.path.unlink()
        if edited:
            note(f"edited while this ran: {', '.join(edited)}; the next run does it again")

    def edited(self) -> dict[str, str | None]:
        """Modules that this job may have imported in another form than they have now."""
        now = {name: _sha256(self.folder / self.places.code_path(name)) for name in self.code}
        return {
            name: now[name]
            for name in self.code
            if not self.at_start[name] == self.code[name] == now[name] or name in self.unsure
        }

    def record(
        self,
        outputs: dict[str, Facts],
        edited: dict[str, str | None],
        surroundings: Surroundings,
    ) -> Record:
        """All of it as the file holds it."""
        sheet, named = self.sheet, self.places.named
        params = {name: named(text) for name, text in sheet["params"].items()}
        return {
            "format": FORMAT,
            "id": step_id(sheet["rule"], sheet["wildcards"]),
            "rule": sheet["rule"],
            "wildcards": sheet["wildcards"],
            "code": self.code,
            "code_sha256": listing_sha256(self.code),
            "edited": edited,
            "params": params,
            "params_sha256": json_sha256(params),
            "inputs": self.inputs,
            "outputs": outputs,
            "declared": [self.places.name(path) for path in sheet["outputs"]],
            "argv": [named(word) for word in self.claim.get("argv", sys.argv)],
            "started": self.claim["started"],
            "ended": datetime.now(UTC).isoformat(timespec="milliseconds"),
            **surroundings,
        }

    def facts(self, paths: list[str]) -> dict[str, Facts]:
        """Files by name, of folders those in them."""
        found: dict[str, Facts] = {}
        sources: dict[str, str] = {}
        for path in (file for each in paths for file in self.files_of(each)):
            name = self.places.name(path)
            if sources.setdefault(name, path) != path:  # two of a name, both from outside
                name = f"{OUTSIDE}{Path(path).parent.name}/{Path(path).name}"
            file = self.folder / path
            found[name] = {"sha256": self.hashes.sha256(file), "bytes": file.stat().st_size}
        return found

    def files_of(self, path: str) -> list[str]:
        """The file itself; of a folder all visible files below it."""
        folder = self.folder / path
        if not folder.is_dir():
            return [path]
        below = sorted(file for file in folder.rglob("*") if file.is_file())
        return [
            f"{path}/{file.relative_to(folder)}" for file in below if not file.name.startswith(".")
        ]


def _state(path: Path) -> tuple[int, int] | None:
    """What tells a file from one written later in its place; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _sha256(path: Path) -> str | None:
    """The SHA-256 of a file; None where there is none."""
    try:
        return sha256(path)
    except FileNotFoundError:
        return None


def _surroundings(packages: list[str], hashes: KnownHashes) -> Surroundings:
    """Of this process."""
    from bertsquad.machine.container import describe_container
    from bertsquad.machine.cpu import CpuInfo, isa_of_interest, read_cpu
    from bertsquad.machine.kernel import measurement_environment
    from bertsquad.machine.reading import attempt
    from bertsquad.machine.surroundings import describe_place
    from bertsquad.machine.versions import versions

    info = attempt(read_cpu)
    model = info.model if isinstance(info, CpuInfo) else "unknown"
    flags = isa_of_interest(info.flags) if isinstance(info, CpuInfo) else []
    found = versions(packages, needed=())
    python, libc = found.pop("python"), found.pop("libc")
    place = describe_place(os.environ)
    return {
        "host": place["host"],
        "node": place["node"],
        "job": place["job"],
        "cpu": model,
        "cpu_flags": flags,
        "cpu_sha256": cpu_sha256(model, flags),
        "kernel": platform.release(),
        "libc": libc,
        "python": python,
        "packages": found,
        "container": describe_container(digest=hashes.sha256),
        "environment": measurement_environment(),
    }
