"""`<logs>/.../x.record.json`: what one job really used; its shape, its reader and its writer.

It lies beside the job's log `x.log` and is written by the job itself, after its outputs are whole
(certificate/recording.py). A job that failed or was killed leaves none, one that runs again
replaces it.

Names of files are relative to the results folder (`demo/torch-fp32/logits.safetensors`,
`resources/downloads/dev-v1.1.json` wherever that folder is); files of neither are `outside/NAME`.
Names of code are relative to scripts/ (`finetune.py`, `bertsquad/training/optimizer.py`). So two
clones record the same but for times, hosts, processors and numbers of threads.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from bertsquad.certificate.json_hash import json_sha256 as json_sha256
from bertsquad.certificate.schema import OUTSIDE as OUTSIDE
from bertsquad.certificate.schema import Sha256
from bertsquad.certificate.shapes import check
from bertsquad.console.errors import UserError
from bertsquad.files import write_json
from bertsquad.own_json import read_own_json

FORMAT = "bertsquad-record/1"
SUFFIX = ".record.json"


class Facts(TypedDict):
    """A file as it was."""

    sha256: Sha256
    bytes: int


class Surroundings(TypedDict):
    """Where and by what a job ran."""

    host: str
    node: str | None  # the batch system's name for the host
    job: str | None  # the batch system's name for the job
    cpu: str  # the processor's model
    cpu_flags: list[str]  # instructions that decide which kernels run (machine/cpu.py)
    cpu_sha256: str  # see `cpu_sha256`
    kernel: str
    libc: str
    python: str
    packages: dict[str, str]  # those that compute, as installed where it ran
    container: dict[str, Any] | None  # as machine.json holds it; None: no container
    environment: dict[str, str]  # variables that decide how it computed: OMP_NUM_THREADS


class Record(Surroundings):
    """The file."""

    format: str
    id: str  # the rule and the values of its wildcards: finetune/demo
    rule: str
    wildcards: dict[str, str]
    # Module to SHA-256, of what the rule tracks: as it was when it was imported; of a module that
    # only other processes of the job import, as it was when the job began.
    code: dict[str, Sha256]
    code_sha256: Sha256  # see `listing_sha256`
    # Modules that were edited while the job ran, to their SHA-256 after that; None: it was gone.
    edited: dict[str, Sha256 | None]
    params: dict[str, str]  # the rule's parameters as texts, paths as names
    params_sha256: Sha256
    inputs: dict[str, Facts]  # as they were when the job began; no code
    outputs: dict[str, Facts]  # as they were when it ended; of a folder each file in it
    declared: list[str]  # the outputs as the rule names them: a folder is itself
    argv: list[str]  # of the command, paths as names
    started: str  # ISO 8601, UTC, milliseconds
    ended: str


@dataclass(frozen=True, slots=True)
class Places:
    """Folders that names of files are relative to, as the workflow writes them: a path is either
    absolute or starts from the working directory."""

    results: str
    resources: str
    scripts: str

    def _prefixes(self) -> list[tuple[str, str]]:
        """The start of a path, and what a name has in its place; the narrower folder first."""
        folders = (self.scripts, ""), (self.resources, "resources/"), (self.results, "")
        return [(f"{os.path.normpath(folder)}/", prefix) for folder, prefix in folders]

    def name(self, path: str) -> str:
        """What a record calls a file."""
        path = os.path.normpath(path)
        for start, prefix in self._prefixes():
            if path.startswith(start):
                return prefix + path.removeprefix(start)
        return OUTSIDE + os.path.basename(path)

    def is_code(self, path: str) -> bool:
        """Whether a file lies in scripts/."""
        return os.path.normpath(path).startswith(self._prefixes()[0][0])

    def path(self, name: str) -> Path:
        """Where an output of this name lies."""
        if name.startswith("resources/"):
            return Path(self.resources, name.removeprefix("resources/"))
        return Path(self.results, name)

    def code_path(self, name: str) -> str:
        """A module's path as the workflow writes it."""
        return f"{self.scripts}/{name}"

    def named(self, text: str) -> str:
        """A text, such as an option's value, with the paths in it as names."""
        for start, prefix in self._prefixes():
            text = re.sub(rf"(?<![\w./-]){re.escape(start)}", prefix, text)
        return text


def step_id(rule: str, wildcards: Mapping[str, str]) -> str:
    """A job's name: `finetune/demo`; of a rule without wildcards the rule's."""
    return "/".join([rule, *(value for value in wildcards.values() if value)])


def listing_sha256(code: Mapping[str, str]) -> str:
    """One number for many files: the SHA-256 of what `sha256sum` prints for them, sorted by name
    (code points): a line `<sha256>  <name>` each."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(code.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def cpu_sha256(model: str, flags: list[str]) -> str:
    """One number for a kind of processor: its model and the instructions that kernels choose by,
    in their fixed order (`machine.cpu.isa_of_interest`)."""
    return json_sha256([model, flags])


def record_beside(log: str | Path) -> Path:
    """Where the record of the job with this log lies."""
    path = Path(log)
    return path.with_name(path.name.removesuffix(".log") + SUFFIX)


def find_records(logs: str | Path) -> list[Path]:
    """All records below a folder of logs, sorted."""
    return sorted(Path(logs).rglob(f"*{SUFFIX}"))


def read_record(path: str | Path) -> Record:
    """The record in a file; `UserError` in one line for one that is damaged or of a format that
    this version does not read."""
    value = read_own_json(path)
    found = value.get("format") if isinstance(value, dict) else None
    if found != FORMAT:
        raise UserError(
            f"{path}: found format {found!r}, expected {FORMAT!r}; run the step again, or read it "
            "with the version of this project that wrote it"
        )
    check(value, Record, str(path))
    record: Record = value
    return record


def write_record(path: str | Path, record: Record) -> None:
    """Write it with sorted keys, whole or not at all."""
    write_json(path, record)
