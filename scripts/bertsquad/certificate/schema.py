"""certificate.json: what was done, by which code, on what; its shape, its reader and its writer.

Names of files are relative to the results folder (`demo/torch-fp32/predictions.json`,
`resources/downloads/dev-v1.1.json` wherever that folder is); files of neither are `outside/NAME`.
Names of code are relative to scripts/. So two certificates of equal runs in different places are
equal but for times, hosts and paths.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from bertsquad.certificate.shapes import check
from bertsquad.console.errors import UserError
from bertsquad.files import write_json
from bertsquad.own_json import read_own_json

FORMAT = "bertsquad-certificate/1"
OUTSIDE = "outside/"  # names of files that are neither results nor code

DOUBTS = {
    "edited-while-running": "an input or the code of a step changed while the step ran",
    "dirty-tree": "the code is not known to be that of a commit",
    "disturbed": "other programs, or the machine itself, disturbed a measurement",
    "emulated": "a precision was measured that the processor emulates",
    "untracked-input": "a step used a file that is no result of another step and no listed input",
    "unpinned-image": "nothing identifies a container image by its content",
    "metadata-missing": "a step kept no record, or nothing tells how a file was made",
    "changed-since": "a file is not what its step made",
}
DoubtKind = Literal[
    "edited-while-running",
    "dirty-tree",
    "disturbed",
    "emulated",
    "untracked-input",
    "unpinned-image",
    "metadata-missing",
    "changed-since",
]
FileClass = Literal["exact", "timed", "log"]


def _is_sha256(text: str) -> bool:
    """64 lower-case hex digits"""
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def _is_inside(name: str) -> bool:
    """a path within the folder, like demo/torch-fp32/metrics.json"""
    path = PurePosixPath(name)
    return not (
        path.is_absolute() or ".." in path.parts or str(path) != name or "\0" in name or name == "."
    )


Sha256 = Annotated[str, _is_sha256]
Name = Annotated[str, _is_inside]


class Project(TypedDict):
    """Which code there is. `commit` is None where there is no git, which `note` then says."""

    commit: str | None
    dirty: list[str]  # files of the code that differ from the commit
    version: str
    note: NotRequired[str]


class Environment(TypedDict):
    """What ran the steps, as machine.json and the records hold it; None: not recorded."""

    python: str | None
    constraints_sha256: Sha256 | None  # of envs/constraints.txt
    packages: dict[str, str]  # name to version
    container: dict[str, Any] | None  # as machine.json holds it; None: no container
    kernel: str | None
    libc: str | None


class Machine(TypedDict):
    """A kind of machine that ran steps."""

    cpu: str | None  # model
    cpu_sha256: str | None  # of model and flags, as record.py makes it
    flags: list[str]
    hosts: list[str]


class Input(TypedDict):
    """A file that came from elsewhere."""

    sha256: Sha256
    bytes: int
    license: str | None
    url: str | None
    citation: NotRequired[str]


class Step(TypedDict):
    """One job. `id` is its rule and its wildcards: `finetune/demo`."""

    id: str
    rule: str
    code_sha256: Sha256 | None  # a key of the certificate's `code`: record.listing_sha256 of it
    params: dict[str, str]  # the rule's parameters that decide its result, paths as names
    params_sha256: Sha256 | None
    inputs: dict[Name, Sha256]  # as they were when the step began; no code
    outputs: dict[Name, Sha256]  # as they are now; temporary ones as they were made
    started: str | None  # ISO 8601, UTC
    ended: str | None
    host: str | None
    machine: str | None  # a key of the certificate's `machines`
    record: bool  # False: taken from Snakemake's metadata, which hashes inputs as jobs end


# `class` is a keyword of Python's, hence the call.
File = TypedDict(
    "File",
    {
        "sha256": Sha256,
        "bytes": int,
        "class": FileClass,
        # Of what is the same in every equal run, where that is a part of the file: a training log
        # without its times. An exact file is exact as a whole and has none.
        "exact_sha256": NotRequired[Sha256],
    },
)


class Score(TypedDict):
    """Of one run, engine and precision, in %."""

    exact_match: float
    f1: float
    questions: int
    interval: list[float] | None  # of f1: low, high


class Speed(TypedDict):
    """One cell. All lists have an entry a repeat, that is a process: the unit of replication."""

    repeats: list[int]
    features_per_second: list[float | None]
    samples_ms: list[float | None]  # median time of a batch, request or pass
    latency_p99_ms: list[float | None]
    other_cpus: list[float | None]
    codes: list[list[str]]  # what disturbed it: codes of benchmark/validity.py
    validity: list[str]  # valid, disturbed, invalid; "": not judged
    threads: list[int | None]
    cpu: list[str | None]
    host: list[str | None]
    native: bool | None
    refused: str | None  # why it was not measured


class Doubt(TypedDict):
    """Something that a reader should know before believing."""

    kind: DoubtKind
    what: str  # one sentence
    where: str  # a step, a file, a cell, or ""


class Certificate(TypedDict):
    """The file."""

    format: str
    project: Project
    command: str | None
    config: dict[str, Any]  # less what says how and where, not what: see manifest.settings
    config_sha256: Sha256 | None
    environment: Environment
    machines: dict[str, Machine]
    inputs: dict[str, Input]
    code: dict[Sha256, dict[Name, Sha256]]  # code_sha256 of steps to their modules
    steps: list[Step]  # each after those whose outputs it uses
    files: dict[Name, File]
    scores: dict[str, Score]  # by run/engine-precision
    speeds: dict[str, Speed]  # by run/engine-precision/scenario/batch/threads, or .../layout/load
    # With several kinds of machines, the machine is before the scenario.
    doubts: list[Doubt]
    chain_sha256: Sha256


def read_certificate(path: str | Path) -> Certificate:
    """The certificate in a file; `UserError` in one line for one that is damaged or of a format
    that this version does not read."""
    return checked(read_own_json(path), str(path))


def checked(value: Any, source: str) -> Certificate:
    """`value` as a certificate; `source` names it in messages."""
    found = value.get("format") if isinstance(value, dict) else None
    if not isinstance(found, str) or not found.startswith("bertsquad-certificate/"):
        raise UserError(f"{source}: no certificate; expected `format`: {FORMAT!r}")
    if found != FORMAT:
        raise UserError(
            f"{source}: found a certificate of format {found!r}, expected {FORMAT!r}; read it with "
            "the version of this project that wrote it"
        )
    check(value, Certificate, source)
    certificate: Certificate = value
    return certificate


def write_certificate(path: str | Path, certificate: Certificate) -> None:
    """Write it with sorted keys, whole or not at all."""
    write_json(path, checked(certificate, str(path)))
