"""What a job is to record, from Snakemake to the job: a sheet beside its log.

Snakemake alone knows a job's inputs and outputs; the job alone knows what it really reads. When a
run starts, Snakemake writes a sheet `.x.job.json` for each job beside where its log `x.log` will
be. A command finds it beside the file that its messages go to, since every rule writes them to its
log; so no rule passes anything, in a container and on a cluster neither. The job removes the sheet
when it has recorded itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from bertsquad.certificate.shapes import check
from bertsquad.own_json import read_own_json

if TYPE_CHECKING:
    from bertsquad.certificate.record import Places

# A command whose messages go to its log. The others print, and make nothing.
_LOGS = re.compile(r"> \{log\b")


class Sheet(TypedDict):
    """Paths are as in the Snakefile: absolute, or from the working directory."""

    rule: str
    wildcards: dict[str, str]
    code: list[str]
    inputs: list[str]
    outputs: list[str]
    params: dict[str, str]
    packages: list[str]  # whose versions matter
    places: dict[str, str]  # the fields of record.Places


class Parameters(Protocol):
    """Snakemake's `params`."""

    def items(self) -> Iterable[tuple[str, Any]]: ...


class Rule(Protocol):
    """Snakemake's."""

    name: str
    shellcmd: str | None


class Job(Protocol):
    """What is read of Snakemake's jobs."""

    rule: Rule
    wildcards_dict: Mapping[str, str]
    input: Iterable[str]
    output: Iterable[str]
    log: Iterable[str]
    params: Parameters


def sheet_beside(log: str | Path) -> Path:
    """Where the sheet of the job with this log lies."""
    path = Path(log)
    return path.with_name(f".{path.name.removesuffix('.log')}.job.json")


def write_sheets(jobs: Iterable[Job], places: Places, packages: Iterable[str]) -> None:
    """Write a sheet for each job that writes its messages to a log; OSError where one cannot be
    written. A job that cannot read it records nothing."""
    from dataclasses import asdict

    same = {"packages": list(packages), "places": asdict(places)}
    for job in jobs:
        log = next(iter(job.log), None)
        if log is not None and _LOGS.search(job.rule.shellcmd or ""):
            path = sheet_beside(log)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(_sheet_of(job, places) | same), encoding="utf-8")


def _sheet_of(job: Job, places: Places) -> dict[str, Any]:
    code = [str(path) for path in job.input if places.is_code(path)]
    return {
        "rule": job.rule.name,
        "wildcards": dict(job.wildcards_dict),
        "code": code,
        "inputs": [str(path) for path in job.input if not places.is_code(path)],
        "outputs": [str(path) for path in job.output],
        "params": {name: str(value) for name, value in job.params.items()},
    }


def find_sheet(log: str | None) -> Path | None:
    """The sheet of the job whose messages go to this file; None where there is none: a command
    that somebody called by hand."""
    if log is None:
        return None
    path = sheet_beside(log)
    return path if path.is_file() else None


def read_sheet(path: Path) -> Sheet:
    """The sheet in a file; `UserError` where it is damaged."""
    found = read_own_json(path)
    check(found, Sheet, str(path))
    sheet: Sheet = found
    return sheet


def log_of(sheet: Path) -> Path:
    """The log beside which a sheet lies."""
    return sheet.with_name(f"{sheet.name.removeprefix('.').removesuffix('.job.json')}.log")


def log_of_messages(descriptor: int = 2) -> str | None:
    """The file that a descriptor of this process writes to; None for a terminal or a pipe."""
    try:
        target = str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return None
    return target if target.startswith("/") and not target.startswith("/dev/") else None
