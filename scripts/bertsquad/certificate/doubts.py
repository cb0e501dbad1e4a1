"""What a reader should know before believing, each doubt in a sentence of its own."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bertsquad.certificate import metadata
from bertsquad.certificate.hashing import Hashes
from bertsquad.certificate.jobs import Found, Job
from bertsquad.certificate.record import OUTSIDE, Places
from bertsquad.certificate.schema import Doubt, DoubtKind, Input, Speed
from bertsquad.experiment.origin import Origin
from bertsquad.machine.activity import BUSY_CPUS

_SHOWN = 3  # names in a sentence
_CLOCKS_S = 2.0  # by which a record's clock and Snakemake's may differ for the same job
# What identifies an image by its content, as machine/container.py names it.
_IDENTITIES = ("image_id", "image_sha256", "digest")


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that doubts are drawn from."""

    found: Found
    roots: frozenset[str]  # names of the files that were certified
    places: Places
    hashes: Hashes
    inputs: Mapping[str, Input]
    speeds: Mapping[str, Speed]
    containers: list[Any]
    origin: Origin


def doubts(evidence: Evidence) -> list[Doubt]:
    """All of them, in a fixed order."""
    return [
        *_of_edits(evidence),
        *_of_changes(evidence),
        *_of_code(evidence.origin),
        *_of_inputs(evidence),
        *_of_images(evidence.containers),
        *_of_missing(evidence),
        *_of_cells(evidence.speeds),
    ]


def _doubt(kind: DoubtKind, what: str, where: str = "") -> Doubt:
    return {"kind": kind, "what": what, "where": where}


def few(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    names = sorted(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _of_edits(evidence: Evidence) -> Iterator[Doubt]:
    for job in evidence.found.jobs:
        names = edited_while_running(job, evidence.places, evidence.hashes)
        if names:
            what = f"{few(names)} changed while {job.id} ran"
            yield _doubt("edited-while-running", what, job.id)


def edited_while_running(job: Job, places: Places, hashes: Hashes) -> set[str]:
    """Names of inputs and code that changed between a job's start and its end.

    Three witnesses: the step itself, which hashes its code again when it ends; Snakemake, whose
    checksums are those at the end; and when a file was last written, unless it is as it was.
    """
    known = job.code | {name: h for name, h in job.inputs.items() if h is not None}
    found = set(job.record["edited"]) if job.record else set()
    period = job.period()
    if job.noted and job.record and period and _is_of(job.noted, period):
        at_end = {places.name(path): h for path, h in metadata.checksums(job.noted).items()}
        found |= {name for name, h in at_end.items() if known.get(name, h) != h}
    if period is None:
        return found
    for name, path in _paths(job, places).items():
        written = hashes.changed(path)
        if written is None or not period[0] < written <= period[1]:
            continue
        if job.record is None or hashes.of(path) != known.get(name):
            found.add(name)
    return found


def _is_of(noted: Mapping[str, Any], period: tuple[float, float]) -> bool:
    """Whether Snakemake's note is of the run of the job that lasted so long, and of no other."""
    of_note = metadata.period(noted)
    return of_note is not None and (
        of_note[0] <= period[0] + _CLOCKS_S and period[1] - _CLOCKS_S <= of_note[1]
    )


def _paths(job: Job, places: Places) -> dict[str, str]:
    """Where a job's code and inputs are, by name; not those from outside, of which only
    Snakemake's note holds the path."""
    noted = (job.noted or {}).get("input") or []
    found = {places.name(path): path for path in noted if isinstance(path, str)}
    found |= {name: places.code_path(name) for name in job.code}
    inside = (name for name in job.inputs if not name.startswith(OUTSIDE))
    return found | {name: str(places.path(name)) for name in inside}


def _of_changes(evidence: Evidence) -> Iterator[Doubt]:
    """Files, inputs and code that are no longer what they were."""
    places, hashes = evidence.places, evidence.hashes
    made = {name: h for job in evidence.found.jobs for name, h in job.outputs.items()}
    for job in evidence.found.jobs:
        for name, made_as in sorted(job.outputs.items()):
            now = None if name.startswith(OUTSIDE) else hashes.of(str(places.path(name)))
            if made_as and now and now != made_as:
                yield _doubt("changed-since", f"{name} is not the file that {job.id} made", name)
        edited = edited_while_running(job, places, hashes)
        others = {n for n, h in job.inputs.items() if h and made.get(n) and made[n] != h} - edited
        if others:
            what = f"{job.id} used another version of {few(others)} than there is now"
            yield _doubt("changed-since", what, job.id)
        code = {n for n, h in job.code.items() if _differs(hashes.of(places.code_path(n)), h)}
        if code - edited:
            what = f"{job.id} was run by another version of {few(code - edited)} than there is now"
            yield _doubt("changed-since", what, job.id)


def _differs(now: str | None, then: str) -> bool:
    return now is not None and now != then


def _of_code(origin: Origin) -> Iterator[Doubt]:
    if origin.unknown:
        yield _doubt("dirty-tree", f"which commit this is cannot be told: {origin.unknown}")
    elif origin.changed:
        what = f"{few(origin.changed)} differ from commit {origin.commit[:12]}"
        yield _doubt("dirty-tree", what)


def _of_inputs(evidence: Evidence) -> Iterator[Doubt]:
    """Inputs that no step made and inputs.json does not list."""
    made = {name for job in evidence.found.jobs for name in job.outputs}
    listed = {entry["sha256"] for entry in evidence.inputs.values()}
    names = {name.rpartition("/")[2] for name in evidence.inputs}
    users: dict[str, list[str]] = {}
    for job in evidence.found.jobs:
        for name, at_start in job.inputs.items():
            if name in made:
                continue
            outside = name.startswith(OUTSIDE)
            found = at_start or (
                None if outside else evidence.hashes.of(str(evidence.places.path(name)))
            )
            if found not in listed and not (found is None and name.rpartition("/")[2] in names):
                users.setdefault(name, []).append(job.id)
    for name, jobs in sorted(users.items()):
        what = f"{name} was used by {few(jobs)}; nothing tells where it came from"
        yield _doubt("untracked-input", what, name)


def _of_images(containers: list[Any]) -> Iterator[Doubt]:
    for container in containers:
        if isinstance(container, dict) and not any(
            isinstance(container.get(name), str) for name in _IDENTITIES
        ):
            image = container.get("image")
            called = f"the image {image}" if isinstance(image, str) else "an image without a name"
            engine = str(container.get("engine") or "")
            yield _doubt("unpinned-image", f"steps ran in {called}", engine)


def _of_missing(evidence: Evidence) -> Iterator[Doubt]:
    found = evidence.found
    for said in found.unreadable:
        yield _doubt("metadata-missing", f"a record cannot be read: {said}")
    without = [job.rule for job in found.jobs if job.record is None]
    if without:
        what = (
            f"{len(without)} of {len(found.jobs)} steps kept no record, so that Snakemake's notes"
        )
        yield _doubt("metadata-missing", f"{what} stand in: {few(set(without))}")
    loose = [name for name in found.loose if name in evidence.roots]
    if loose:
        what = f"nothing tells how {len(loose)} files were made: {few(loose)}"
        yield _doubt("metadata-missing", what)


def _of_cells(speeds: Mapping[str, Speed]) -> Iterator[Doubt]:
    for cell, speed in sorted(speeds.items()):
        if speed["refused"] is not None:
            continue
        if speed["native"] is False:
            yield _doubt("emulated", f"{cell}: this processor emulates the precision", cell)
        codes, count = Counter[str](), 0
        for verdict, found, other_cpus in zip(
            speed["validity"], speed["codes"], speed["other_cpus"], strict=True
        ):
            said = [code for code in found if code != "emulated"]
            if not verdict and (other_cpus or 0) > BUSY_CPUS:  # a cell of an older version
                said = ["busy"]
            codes.update(said)
            count += bool(said)
        if codes:
            why = ", ".join(sorted(codes))
            what = f"{cell}: {count} of {len(speed['repeats'])} repeats disturbed ({why})"
            yield _doubt("disturbed", what, cell)
