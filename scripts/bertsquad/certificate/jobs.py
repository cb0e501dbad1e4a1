"""The jobs behind some results, found backwards from them: by the steps' records, else by
Snakemake's metadata."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import Any

from bertsquad.certificate import metadata
from bertsquad.certificate.manifest import NOT_PARAMS
from bertsquad.certificate.record import (
    OUTSIDE,
    SUFFIX,
    Places,
    Record,
    find_records,
    json_sha256,
    listing_sha256,
    read_record,
)
from bertsquad.console.errors import UserError

LOGS = "logs/"  # what names of logs begin with, wherever they lie


@dataclass
class Job:
    """One job as far as it is known. Hashes are None where nobody took them."""

    id: str
    rule: str
    inputs: dict[str, str | None]  # by name, as they were when it began
    outputs: dict[str, str | None]  # by name, as it made them
    code: dict[str, str]  # by name
    code_sha256: str | None
    params: dict[str, str]
    log: str | None  # the log's name, without its ending
    record: Record | None  # the step's own
    noted: Mapping[str, Any] | None = None  # Snakemake's

    @property
    def params_sha256(self) -> str:
        return json_sha256(self.params)

    def period(self) -> tuple[float, float] | None:
        """When it began and ended, in seconds since 1970."""
        if self.record:
            began, ended = map(metadata.as_seconds, (self.record["started"], self.record["ended"]))
            if began is not None and ended is not None:
                return began, ended
        return metadata.period(self.noted) if self.noted else None


@dataclass
class Found:
    """What is behind some results."""

    jobs: list[Job]  # each after those whose outputs it uses
    loose: list[str] = field(default_factory=list)  # names of files of which nothing tells
    unreadable: list[str] = field(default_factory=list)  # of records: why, in a line each


@dataclass
class _Search:
    """Where jobs are looked up by the name of an output."""

    places: Places
    noted: Path  # .snakemake/metadata
    recorded: dict[str, Job]

    def job(self, name: str) -> Job | None:
        return self.recorded.get(name) or self._by_metadata(name)

    def note(self, names: Iterable[str]) -> Mapping[str, Any] | None:
        """What Snakemake noted of one of these outputs, or of the folder that one is in."""
        for name in sorted(names):
            while name:
                found = metadata.read_metadata(self.noted, str(self.places.path(name)))
                if found is not None:
                    return found
                name = name.rpartition("/")[0]
        return None

    def beside(self, job: Job) -> list[str]:
        """Further outputs of a job without a record that lie beside those that are known: nobody
        asked for them, and Snakemake's note of one output names no other."""
        names = []
        for folder in {name.rpartition("/")[0] for name in job.outputs}:
            where = self.places.path(f"{folder}/x").parent
            for path in where.iterdir() if where.is_dir() else ():
                name = f"{folder}/{path.name}" if folder else path.name
                other = self._by_metadata(name) if path.is_file() else None
                if other is not None and other.id == job.id:
                    names.append(name)
        return sorted(names)

    def _by_metadata(self, name: str) -> Job | None:
        noted = self.note([name])
        if noted is None:
            return None
        start = self.places.scripts.rstrip("/") + "/"
        inputs = [path for path in noted.get("input") or [] if isinstance(path, str)]
        sums = metadata.checksums(noted)
        name_of = self.places.name
        code = {name_of(p): sums[p] for p in inputs if p.startswith(start) and p in sums}
        logs = [log for log in noted.get("log") or [] if isinstance(log, str)]
        log = name_of(logs[0]).removesuffix(".log") if logs else None
        params = noted.get("params") or []
        return Job(
            id=_id_of(noted["rule"], log or name),
            rule=noted["rule"],
            inputs={name_of(p): sums.get(p) for p in inputs if not p.startswith(start)},
            outputs={name: None},
            code=code,
            code_sha256=listing_sha256(code) if code else None,
            params={str(n): self.places.named(str(each)) for n, each in enumerate(params)},
            log=log,
            record=None,
            noted=noted,
        )


def find_jobs(roots: Iterable[str], places: Places, logs: Path, noted: Path) -> Found:
    """The jobs that made the files `roots` (names), those that made their inputs, and so on.

    `logs` is the folder of the records, `noted` is `.snakemake/metadata`; neither need be there.
    """
    recorded, unreadable = _read_records(logs)
    search = _Search(places, noted, recorded)
    jobs: dict[str, Job] = {}
    loose = []
    waiting = sorted(set(roots), reverse=True)
    seen = set(waiting)
    while waiting:
        name = waiting.pop()
        job = search.job(name)
        if job is None:
            loose.append(name)
            continue
        if job.id in jobs and job.record is None:
            jobs[job.id].outputs |= job.outputs  # several outputs, each noted by itself
        else:
            jobs[job.id] = job
        new = {each for each in [*job.inputs, *job.outputs] if not each.startswith(OUTSIDE)} - seen
        seen |= new
        waiting += sorted(new, reverse=True)
    for job in jobs.values():
        job.noted = job.noted or search.note(job.outputs)
        if job.record is None:
            job.outputs |= dict.fromkeys(search.beside(job))
    return Found(in_order(jobs.values()), sorted(loose), unreadable)


def in_order(jobs: Iterable[Job]) -> list[Job]:
    """Each after those whose outputs it uses, else by id: the same jobs have the same order."""
    by_id = {job.id: job for job in jobs}
    maker = {name: job.id for job in by_id.values() for name in job.outputs}
    needs = {
        job.id: {maker[name] for name in job.inputs if name in maker} - {job.id}
        for job in by_id.values()
    }
    users: dict[str, list[str]] = {}
    for each, before in needs.items():
        for other in before:
            users.setdefault(other, []).append(each)
    ready = [each for each, before in needs.items() if not before]
    heapify(ready)
    ordered = []
    while ready:
        each = heappop(ready)
        ordered.append(by_id.pop(each))
        for after in users.get(each, ()):
            needs[after].discard(each)
            if not needs[after]:
                heappush(ready, after)
    return ordered + [by_id[each] for each in sorted(by_id)]  # a circle: damaged records


def _read_records(logs: Path) -> tuple[dict[str, Job], list[str]]:
    """The latest job that recorded each output, by the output's name; what cannot be read."""
    found: dict[str, Job] = {}
    unreadable = []
    for path in find_records(logs):
        try:
            record = read_record(path)
        except UserError as error:
            unreadable.append(str(error))
            continue
        name = LOGS + path.relative_to(logs).as_posix().removesuffix(SUFFIX)
        job = _of_record(record, name)
        for output in job.outputs:
            other = found.get(output)
            if other is None or other.record is None or other.record["ended"] < record["ended"]:
                found[output] = job
    return found, unreadable


def _of_record(record: Record, log: str) -> Job:
    """A job by what its step recorded of itself."""
    left_out = NOT_PARAMS.get(record["rule"], ())
    return Job(
        id=record["id"],
        rule=record["rule"],
        inputs={name: facts["sha256"] for name, facts in record["inputs"].items()},
        outputs={name: facts["sha256"] for name, facts in record["outputs"].items()},
        code=record["code"],
        code_sha256=record["code_sha256"],
        params={name: text for name, text in record["params"].items() if name not in left_out},
        log=log,
        record=record,
    )


def _id_of(rule: str, log: str) -> str:
    """What names a job without a record: its rule and what the log's name adds."""
    parts = log.removeprefix(LOGS).split("/")
    return "/".join([rule, *(part for part in parts if part not in (rule, ""))])
