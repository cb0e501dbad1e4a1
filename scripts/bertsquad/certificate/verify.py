"""Whether a crate is what it says: files, certificate, steps, code, scores, metadata.

Needs the standard library and this project alone; scores need numpy, too. Nothing that a crate
holds is run.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bertsquad.certificate import bag
from bertsquad.certificate.attestation import check_statement
from bertsquad.certificate.crate.document import ATTESTATION
from bertsquad.certificate.crate.graph import METADATA
from bertsquad.certificate.crate.payload import RESULTS
from bertsquad.certificate.crate.scoring import check_scores, scorings
from bertsquad.certificate.crate.verify_run import (
    check_chain,
    check_code,
    check_settings,
    check_steps,
)
from bertsquad.certificate.holding import Holding, read
from bertsquad.certificate.manifest import json_sha256, pattern_of
from bertsquad.certificate.schema import Certificate, File, checked
from bertsquad.console.errors import UserError
from bertsquad.files import sha256
from bertsquad.own_json import parsed

_CERTIFICATE = bag.PAYLOAD + "certificate.json"


@dataclass(frozen=True, slots=True)
class _Crate:
    """A bag whose files are as its manifest says."""

    held: Holding
    hashes: Mapping[str, str]  # of data/ by name, without data/
    certificate: Certificate

    def read(self, name: str) -> bytes:
        return read(self.held, bag.PAYLOAD + name)

    def json(self, name: str) -> Any:
        return _json(self.read(name), f"{self.held.path}: {name}")


def _json(content: bytes, source: str) -> Any:
    try:
        return parsed(content)
    except ValueError as error:
        raise UserError(f"{source}: not valid JSON ({error}); it was damaged or changed") from None


def verify(held: Holding, *, datasets: list[Path], scores: bool) -> list[str]:
    """What was verified, a line each, in order; `UserError` with the first thing that is wrong.

    `datasets` are question files of one's own for answers whose questions the crate lacks. With
    `scores`, scores that cannot be computed again are an error.
    """
    hashes = {name[len(bag.PAYLOAD) :]: each for name, each in bag.check_bag(held).items()}
    bytes_ = sum(held.sizes().values())
    source = f"{held.path}: certificate.json"
    certificate = checked(_json(read(held, _CERTIFICATE), source), source)
    crate = _Crate(held, hashes, certificate)
    document = _graph(crate)
    lines = [
        f"files: {len(hashes)}, {bytes_:,} bytes, as the manifest says",
        _check_files(crate, document),
        check_chain(certificate, source),
        check_steps(certificate, source),
        check_code(certificate, hashes, source),
        check_settings(certificate, hashes, crate.json, source),
        _check_all_scores(crate, datasets, required=scores),
        _check_metadata(crate, document),
    ]
    value = crate.json(ATTESTATION)
    subjects = {bag.PAYLOAD + n: each for n, each in hashes.items() if n != ATTESTATION}
    check_statement(value, subjects, certificate, f"{held.path}: {ATTESTATION}")
    lines.append(f"attestation: about {len(subjects)} files, unsigned")
    return [*lines, *_doubts(certificate)]


def _doubts(certificate: Certificate) -> list[str]:
    count = len(certificate["doubts"])
    return [f"doubts: {count}, which certificate.json names" if count else "doubts: none"]


def _graph(crate: _Crate) -> dict[str, dict[str, Any]]:
    """The entities of ro-crate-metadata.json by id."""
    source = f"{crate.held.path}: {METADATA}"
    value = crate.json(METADATA)
    entities = value.get("@graph") if isinstance(value, dict) else None
    if not isinstance(entities, list):
        raise UserError(f"{source}: no @graph; it was damaged or changed")
    found = {}
    for entity in entities:
        key = entity.get("@id") if isinstance(entity, dict) else None
        if not isinstance(key, str) or key in found:
            raise UserError(f"{source}: an entity without an @id of its own; it was changed")
        found[key] = entity
    return found


def _check_files(crate: _Crate, document: Mapping[str, Mapping[str, Any]]) -> str:
    """Every file of the certificate is here as it says, or is said to be left out."""
    here, absent = 0, 0
    told = {unquote(key): entity.get("sha256") for key, entity in document.items()}
    present = set(crate.hashes.values())
    for name, file in crate.certificate["files"].items():
        inside = RESULTS + name
        if inside in crate.hashes:
            _check_file(crate, name, file)
            here += 1
        elif file["sha256"] in present:
            here += 1
        elif told.get(f"#{name}") == file["sha256"]:
            absent += 1
        else:
            raise UserError(
                f"{crate.held.path}: {inside} is in certificate.json, and neither here nor said "
                "to be left out; it was removed"
            )
    copy = RESULTS + "certificate.json"
    if copy in crate.hashes:
        _same(crate, copy, crate.hashes["certificate.json"], "certificate.json beside it")
    known = {RESULTS + name for name in crate.certificate["files"]} | {copy}
    more = [n for n in crate.hashes if n.startswith(RESULTS) and n not in known]
    line = f"certificate: {here} files here as it says"
    line += f", {absent} left out" if absent else ""
    return line + (f"; {len(more)} files are not in it" if more else "")


def _check_file(crate: _Crate, name: str, file: File) -> None:
    """A result is as the certificate says, and so is the part of it that is exact."""
    inside = RESULTS + name
    _same(crate, inside, file["sha256"], "certificate.json")
    size = crate.held.sizes()[bag.PAYLOAD + inside]
    row = pattern_of(name)
    found: Any = None
    if row.kind != "exact" and row.exact_part is not None:
        content = crate.read(inside)
        try:
            found = json_sha256(row.exact_part(content))
        except (ValueError, AttributeError, csv.Error, RecursionError):
            found = file["sha256"]
    for key, is_ in (("bytes", size), ("class", row.kind), ("exact_sha256", found)):
        if file.get(key) != is_:
            raise UserError(
                f"{crate.held.path}: {inside}: {key} is {is_!r}, certificate.json says "
                f"{file.get(key)!r}; one of the two was changed"
            )


def _same(crate: _Crate, name: str, expected: Any, whose: str) -> None:
    found = crate.hashes[name]
    if found != expected:
        raise UserError(
            f"{crate.held.path}: {name} has sha256 {found[:12]}…, {whose} says "
            f"{str(expected)[:12]}…; one of the two was changed"
        )


def _check_metadata(crate: _Crate, document: Mapping[str, Mapping[str, Any]]) -> str:
    """Every file that ro-crate-metadata.json describes is here as it says."""
    described = 0
    for key, entity in document.items():
        kinds = entity.get("@type")
        if "File" not in (kinds if isinstance(kinds, list) else [kinds]):
            continue
        name = unquote(key)
        if name not in crate.hashes:
            raise UserError(f"{crate.held.path}: {METADATA} describes {name}, which is not here")
        if "sha256" in entity:
            _same(crate, name, entity["sha256"], METADATA)
        described += 1
    return f"metadata: {described} files described as they are"


def _check_all_scores(crate: _Crate, datasets: list[Path], *, required: bool) -> str:
    """The scores again, from predictions and questions."""
    of_metrics = _check_metrics(crate)
    found = scorings(crate.certificate)
    by_hash = {each: bag.PAYLOAD + name for name, each in crate.hashes.items()}
    own = {sha256(path): path for path in datasets}
    unknown = set(crate.certificate["scores"]) - {each.of for each in found}
    reasons = dict.fromkeys(unknown, "no step of this crate made them")
    done = 0
    try:
        import numpy  # noqa: F401
    except ImportError:
        reasons, found = dict.fromkeys(crate.certificate["scores"], "numpy is not installed"), []
    for scoring in found:
        questions = _questions(crate.held, scoring.dataset_sha256, by_hash, own)
        if questions is None:
            reasons[scoring.of] = (
                f"{scoring.dataset} is not here: give it by --dataset (sha256 "
                f"{scoring.dataset_sha256[:12]}…)"
            )
            continue
        try:
            check_scores(crate.certificate, scoring, _reader(crate), questions)
        except UserError as error:
            raise UserError(f"{crate.held.path}: {error}") from None
        done += 1
    if reasons and required:
        name, reason = min(reasons.items())
        raise UserError(f"{crate.held.path}: scores of {name} cannot be computed again: {reason}")
    line = f"scores: {done} computed again and equal, {of_metrics} as in metrics.json"
    return line + (f"; {len(reasons)} not computed: {min(reasons.values())}" if reasons else "")


def _reader(crate: _Crate) -> Callable[[str], bytes]:
    return lambda name: crate.read(RESULTS + name)


def _questions(
    held: Holding, digest: str, by_hash: Mapping[str, str], own: Mapping[str, Path]
) -> bytes | None:
    """A dataset by its SHA-256, from the crate or one's own files."""
    if digest in by_hash:
        return read(held, by_hash[digest])
    return own[digest].read_bytes() if digest in own else None


def _check_metrics(crate: _Crate) -> int:
    """How many of the certificate's scores are here as metrics.json, each equal to it."""
    count = 0
    for of, score in crate.certificate["scores"].items():
        name = f"{RESULTS}{of}/metrics.json"
        if name not in crate.hashes:
            continue
        told = crate.json(name)
        for key in ("exact_match", "f1", "questions"):
            found = told.get(key) if isinstance(told, dict) else None
            if found != score[key]:
                raise UserError(
                    f"{crate.held.path}: {name}: {key} is {found!r}, certificate.json says "
                    f"{score[key]!r}; one of the two was changed"
                )
        count += 1
    return count
