"""Put a crate together: payload, metadata, manifests, one archive."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bertsquad.certificate import bag
from bertsquad.certificate.attestation import statement
from bertsquad.certificate.crate.document import ATTESTATION, PREVIEW, Agent, metadata
from bertsquad.certificate.crate.entities import Sources
from bertsquad.certificate.crate.fixed_zip import Entry, moment_of, write
from bertsquad.certificate.crate.graph import METADATA, Facts, last_end
from bertsquad.certificate.crate.pages import MAKEFILE_TEXT, bag_facts, readme
from bertsquad.certificate.crate.payload import (
    CODE,
    RESULTS,
    Code,
    code_of,
    dataset_entries,
    left_out,
    result_entries,
)
from bertsquad.certificate.schema import Certificate, read_certificate
from bertsquad.console.errors import UserError
from bertsquad.files import read_json, sha256

CERTIFICATE = "certificate.json"
_PREVIEWED = "report.html"
# Where the report looks for the questions that it shows; the preview is one folder above it.
_FOLDER = (b'data-folder="questions"', b'data-folder="results/questions"')
_COMMANDS = CODE + "scripts/"
_COMMIT_DIGITS = 12
_CHAIN_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Written:
    """A crate."""

    path: Path
    files: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a crate's files are."""

    results: Path
    resources: Path
    repository: Path
    lock: Path  # artifacts.lock.json, which need not be there


def make_crate(origin: Origin, folder: Path, *, max_file: int, agent: Agent) -> Written:
    """Write `bertsquad-COMMIT-CHAIN.zip` into `folder`, whole or not at all.

    `UserError` where the run is not certified or has changed since.
    """
    place = origin.results / CERTIFICATE
    if not place.is_file():
        raise UserError(f"{place}: no such file; finish the run first: snakemake --cores all")
    certificate = read_certificate(place)
    code = code_of(origin.repository)
    seconds = _seconds(code, certificate)
    asked = dataset_entries(origin.resources, certificate, max_file)
    payload = {
        entry.name: entry
        for entry in (
            *result_entries(origin.results, certificate, max_file),
            *asked.values(),
            *(Entry(CODE + e.name, e.source, e.executable) for e in code.entries),
            *_beside(origin, code),
        )
    }
    for name in payload:
        bag.check_name(name)
    held = {name.removeprefix(RESULTS) for name in payload if name.startswith(RESULTS)}
    absent = left_out(certificate, held | set(asked))
    path = folder / _name(certificate)
    page = readme(certificate, absent, path.name, Sources.of(certificate), code.diff is not None)
    payload["README.md"] = Entry("README.md", page.encode())
    facts = {name: _facts(entry) for name, entry in payload.items()}
    document = metadata(
        certificate,
        # The attestation is about it, so it tells of the attestation only that it is there.
        {**facts, ATTESTATION: Facts(None, None)},
        absent,
        {name: entry.name for name, entry in asked.items()},
        _pinned(origin.repository),
        agent=agent,
        published=datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds"),
    )
    _add(payload, METADATA, _json(document), facts)
    hashes = {bag.PAYLOAD + name: each.sha256 or "" for name, each in facts.items()}
    _add(payload, ATTESTATION, _json(statement(hashes, certificate)), facts)
    write(path, _bagged(payload, facts, certificate, seconds), seconds)
    return Written(path, len(payload), len(absent))


def _name(certificate: Certificate) -> str:
    """The archive's name: the commit, and the chain that people compare."""
    commit = (certificate["project"]["commit"] or "nocommit")[:_COMMIT_DIGITS]
    changed = "-changed" if certificate["project"]["dirty"] else ""
    return f"bertsquad-{commit}{changed}-{certificate['chain_sha256'][:_CHAIN_DIGITS]}.zip"


def _seconds(code: Code, certificate: Certificate) -> int:
    """The time of all files: when the code was committed or, where that is not known, when the last
    step ended."""
    if code.seconds is not None:
        return code.seconds
    ended = last_end(certificate)
    try:
        return int(datetime.fromisoformat(ended).timestamp()) if ended else 0
    except ValueError:
        return 0


def _beside(origin: Origin, code: Code) -> list[Entry]:
    """Files of data/ that are neither code nor results."""
    results = origin.results
    found = [Entry(CERTIFICATE, results / CERTIFICATE)]
    if (results / _PREVIEWED).is_file():
        found.append(Entry(PREVIEW, (results / _PREVIEWED).read_bytes().replace(*_FOLDER)))
    if (results / "config.json").is_file():
        found.append(Entry("config.yaml", _yaml(read_json(results / "config.json"))))
    for name, path in (
        ("constraints.txt", origin.repository / "envs/constraints.txt"),
        ("artifacts.lock.json", origin.lock),
    ):
        if path.is_file():
            found.append(Entry(name, path))
    if code.diff is not None:
        found.append(Entry("code.diff", code.diff))
    return found


def _pinned(repository: Path) -> dict[str, str]:
    """Versions of packages as envs/ pins them."""
    places = (repository / "envs" / name for name in ("requirements.txt", "constraints.txt"))
    text = "".join(place.read_text(encoding="utf-8") for place in places if place.is_file())
    return dict(re.findall(r"^([\w.-]+)==([\w.+-]+)", text, re.MULTILINE))


def _yaml(config: Any) -> bytes:
    """The resolved configuration as people read it, its keys in their own order."""
    import yaml

    head = "# Every key of the configuration, with all defaults.\n"
    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100)
    return (head + text).encode()


def _add(payload: dict[str, Entry], name: str, text: str, facts: dict[str, Facts]) -> None:
    payload[name] = Entry(name, text.encode())
    facts[name] = _facts(payload[name])


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _content(path: Path | None) -> bytes:
    return path.read_bytes() if path else b""


def _facts(entry: Entry) -> Facts:
    if entry.name.startswith(_COMMANDS):
        content = entry.source if isinstance(entry.source, bytes) else _content(entry.source)
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        return Facts(hashlib.sha256(content).hexdigest(), len(content), blob.hexdigest())
    if isinstance(entry.source, bytes):
        return Facts(hashlib.sha256(entry.source).hexdigest(), len(entry.source))
    assert entry.source is not None  # a file
    return Facts(sha256(entry.source), entry.source.stat().st_size)


def _bagged(
    payload: Mapping[str, Entry],
    facts: Mapping[str, Facts],
    certificate: Certificate,
    seconds: int,
) -> list[Entry]:
    """The files of the bag, and folders that readers of a crate ask for."""
    oxum = bag.oxum(each.bytes or 0 for each in facts.values())
    date = "{:04}-{:02}-{:02}".format(*moment_of(seconds)[:3])
    tags = {
        bag.DECLARATION: bag.declaration(),
        bag.INFO: bag.info(bag_facts(certificate, date, oxum)),
        bag.MAKEFILE: MAKEFILE_TEXT,
        bag.MANIFEST: bag.manifest(
            {bag.PAYLOAD + name: f.sha256 or "" for name, f in facts.items()}
        ),
    }
    of_tags = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in tags.items()}
    return [
        *(Entry(bag.PAYLOAD + e.name, e.source, e.executable) for e in payload.values()),
        *(Entry(name, text.encode()) for name, text in tags.items()),
        Entry(bag.TAG_MANIFEST, bag.manifest(of_tags).encode()),
        Entry(bag.PAYLOAD + CODE, None),
        Entry(bag.PAYLOAD + RESULTS, None),
    ]
