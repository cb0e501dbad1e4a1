"""The certificate of a results folder: everything that is known of how it was made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.certificate.chain import chain_sha256
from bertsquad.certificate.doubts import Evidence, doubts
from bertsquad.certificate.hashing import Hashes
from bertsquad.certificate.jobs import Found, Job, find_jobs
from bertsquad.certificate.manifest import json_sha256, settings
from bertsquad.certificate.measured import read_scores, read_speeds
from bertsquad.certificate.metadata import as_text
from bertsquad.certificate.record import OUTSIDE, SUFFIX, Places
from bertsquad.certificate.schema import (
    FORMAT,
    Certificate,
    Environment,
    File,
    Input,
    Machine,
    Sha256,
    Step,
)
from bertsquad.certificate.shapes import check
from bertsquad.console.errors import UserError
from bertsquad.experiment.origin import Origin
from bertsquad.machine.reading import value
from bertsquad.own_json import read_own_json

# Made from the certificate, or not of a finished run.
_NOT_CERTIFIED = (
    *("certificate.json", "report.html", "questions/", "logs/", "benchmarks/", "exports/"),
    "verified_cells.json",
)
_UNFINISHED = ("training_state", ".part")


@dataclass(frozen=True, slots=True)
class Run:
    """Where the files of a run are."""

    places: Places
    logs: Path
    metadata: Path  # .snakemake/metadata
    constraints: Path  # envs/constraints.txt

    @property
    def results(self) -> Path:
        return Path(self.places.results)


def certify(
    run: Run, files: Iterable[Path], *, origin: Origin, command: str | None, hashes: Hashes
) -> Certificate:
    """The certificate of `files` of the results folder, of all that they were made from, and of
    how; without `files`, or where nothing is known of them, of every file of the folder.

    `UserError` where there is nothing to certify.
    """
    roots = {run.places.name(str(path)) for path in files}
    found = find_jobs(roots, run.places, run.logs, run.metadata)
    if not found.jobs:
        roots |= set(_all_files(run.results))
        found = find_jobs(roots, run.places, run.logs, run.metadata)
    described = _describe(run, found, roots, hashes)
    if not described:
        raise UserError(f"{run.results}: no results; run the workflow first: snakemake --cores all")
    machine = _object(run.results / "machine.json")
    config = settings(_object(run.results / "config.json"))
    inputs = _inputs(run.results / "inputs.json")
    speeds = read_speeds(described, run.results)
    containers = _containers(found.jobs, machine)
    steps = [_step(job, described) for job in found.jobs]
    config_sha256 = json_sha256(config) if "config.json" in described else None
    evidence = Evidence(
        found, frozenset(roots), run.places, hashes, inputs, speeds, containers, origin
    )
    certificate: Certificate = {
        "format": FORMAT,
        "project": {
            "commit": origin.commit or None,
            "dirty": list(origin.changed),
            "version": origin.version,
        },
        "command": command,
        "config": config,
        "config_sha256": config_sha256,
        "environment": _environment(found.jobs, machine, containers, run.constraints, hashes),
        "machines": _machines(found.jobs, machine),
        "inputs": inputs,
        "code": {j.code_sha256: j.code for j in found.jobs if j.code_sha256 and j.code},
        "steps": steps,
        "files": described,
        "scores": read_scores(described, run.results),
        "speeds": speeds,
        "doubts": doubts(evidence),
        "chain_sha256": chain_sha256(steps, described, config_sha256),
    }
    if origin.unknown:
        certificate["project"]["note"] = origin.unknown
    return certificate


def _all_files(results: Path) -> list[str]:
    """Names of all finished files of a results folder but logs and what the report shows."""
    names = (p.relative_to(results).as_posix() for p in results.rglob("*") if p.is_file())
    return sorted(
        name
        for name in names
        if not name.startswith(_NOT_CERTIFIED)
        and not any(part.startswith(".") or part.endswith(_UNFINISHED) for part in name.split("/"))
    )


def _describe(run: Run, found: Found, roots: set[str], hashes: Hashes) -> dict[str, File]:
    """Every file of the run that is there: results, what they were made from, and logs."""
    paths = {
        name: str(run.places.path(name))
        for name in {*roots, *found.loose, *(n for job in found.jobs for n in job.outputs)}
        if not name.startswith(OUTSIDE)
    }
    for job in found.jobs:
        if job.log:
            beside = run.logs / job.log.removeprefix("logs/")
            for ending in (".log", SUFFIX):
                paths[f"{job.log}{ending}"] = f"{beside}{ending}"
    described = {name: hashes.describe(name, path) for name, path in sorted(paths.items())}
    return {name: file for name, file in described.items() if file is not None}


def _step(job: Job, files: Mapping[str, File]) -> Step:
    """What the certificate holds of a job: outputs as they are now, temporary ones as they were."""
    outputs = {n: files[n]["sha256"] if n in files else h for n, h in job.outputs.items()}
    record = job.record
    noted = job.noted or {}
    return {
        "id": job.id,
        "rule": job.rule,
        "code_sha256": job.code_sha256,
        "params": job.params,
        "params_sha256": job.params_sha256,
        "inputs": {name: h for name, h in _inputs_of(job, files).items() if h is not None},
        "outputs": {name: h for name, h in outputs.items() if h is not None},
        "started": record["started"] if record else _moment(noted.get("starttime")),
        "ended": record["ended"] if record else _moment(noted.get("endtime")),
        "host": record["host"] if record else None,
        "machine": _key(record["cpu_sha256"]) if record else None,
        "record": record is not None,
    }


def _inputs_of(job: Job, files: Mapping[str, File]) -> dict[str, str | None]:
    """Hashes of inputs when the job began; where nobody took them, as they are now."""
    return {
        name: h or (files[name]["sha256"] if name in files else None)
        for name, h in job.inputs.items()
    }


def _moment(seconds: Any) -> str | None:
    try:
        return as_text(seconds) if isinstance(seconds, int | float) else None
    except (ValueError, OverflowError, OSError):  # a damaged note: no such moment
        return None


def _key(cpu_sha256: str) -> str:
    return cpu_sha256[:12]


def _inputs(path: Path) -> dict[str, Input]:
    """inputs.json, as far as it can be read; `UserError` for a checksum or size that is none."""
    found: dict[str, Input] = {}
    for name, each in _object(path).items():
        if isinstance(each, dict) and isinstance(each.get("sha256"), str):
            check(each["sha256"], Sha256, f"{path}: {name[:60]!r}.sha256")
            check(each.get("bytes", 0), int, f"{path}: {name[:60]!r}.bytes")
            license_, url = (each.get(key) for key in ("license", "url"))
            found[name] = {
                "sha256": each["sha256"],
                "bytes": each.get("bytes", 0),
                "license": license_ if isinstance(license_, str) else None,
                "url": url if isinstance(url, str) else None,
            }
            if isinstance(each.get("citation"), str):
                found[name]["citation"] = each["citation"]
    return found


def _containers(jobs: Iterable[Job], machine: dict[str, Any]) -> list[Any]:
    """The containers in which steps ran, each once; without records, the one of machine.json."""
    recorded = [job.record for job in jobs if job.record]
    all_ = [each["container"] for each in recorded] if recorded else [machine.get("container")]
    known = [each for each in all_ if isinstance(each, dict) and each]
    return [each for n, each in enumerate(known) if each not in known[:n]]


def _environment(
    jobs: list[Job],
    machine: dict[str, Any],
    containers: list[Any],
    constraints: Path,
    hashes: Hashes,
) -> Environment:
    """Software as the steps recorded it, else as machine.json holds it. Where steps differ, all
    that they had: `2.13.0, 2.12.1`."""
    records = [job.record for job in jobs if job.record]
    versions = machine.get("versions")
    known = versions if isinstance(versions, dict) else {}
    of_machine = {n: v for n, v in known.items() if isinstance(v, str)}
    packages: dict[str, dict[str, None]] = {}
    for name, version in (each for record in records for each in record["packages"].items()):
        packages.setdefault(name, {})[version] = None
    apart, kernel = ("python", "libc"), value(machine, "kernel")
    return {
        "python": _joined([r["python"] for r in records]) or of_machine.get("python"),
        "constraints_sha256": hashes.of(str(constraints)),
        "packages": {name: ", ".join(found) for name, found in packages.items()}
        or {name: version for name, version in of_machine.items() if name not in apart},
        "container": containers[0] if containers else None,
        "kernel": _joined([r["kernel"] for r in records])
        or (kernel if isinstance(kernel, str) else None),
        "libc": _joined([r["libc"] for r in records]) or of_machine.get("libc"),
    }


def _joined(texts: list[str]) -> str | None:
    return ", ".join(dict.fromkeys(texts)) or None


def _machines(jobs: Iterable[Job], machine: dict[str, Any]) -> dict[str, Machine]:
    """The kinds of machines that ran steps; without records, the one of machine.json."""
    found: dict[str, Machine] = {}
    for record in (job.record for job in jobs if job.record):
        each = found.setdefault(
            _key(record["cpu_sha256"]),
            {
                "cpu": record["cpu"],
                "cpu_sha256": record["cpu_sha256"],
                "flags": record["cpu_flags"],
                "hosts": [],
            },
        )
        if record["host"] not in each["hosts"]:
            each["hosts"].append(record["host"])
    if not found and machine:
        model, flags = (value(machine, "cpu", key) for key in ("model", "flags"))
        host = machine.get("host")
        found["here"] = {
            "cpu": model if isinstance(model, str) else None,
            "cpu_sha256": None,
            "flags": list(map(str, flags)) if isinstance(flags, list) else [],
            "hosts": [host] if isinstance(host, str) else [],
        }
    return found


def _object(path: Path) -> dict[str, Any]:
    """A JSON object of the results; {} where there is no such file."""
    found = read_own_json(path) if path.is_file() else {}
    if not isinstance(found, dict):
        raise UserError(f"{path}: found {type(found).__name__}, expected a JSON object; delete it")
    return found
