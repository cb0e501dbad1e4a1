"""Files, sources and licences as entities of a crate."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self
from urllib.parse import quote

from bertsquad.certificate.crate.graph import Entity, Facts
from bertsquad.certificate.crate.payload import LeftOut
from bertsquad.certificate.schema import Certificate, Input

_TYPES = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".csv": "text/csv",
    ".svg": "image/svg+xml",
    ".py": "text/x-python",
    ".txt": "text/plain",
    ".log": "text/plain",
    ".html": "text/html",
    ".js": "text/javascript",
    ".md": "text/markdown",
    ".yaml": "application/yaml",
    ".xml": "application/xml",
    ".diff": "text/x-diff",
}
_TITLES = {
    "Apache-2.0": "Apache License 2.0",
    "CC-BY-SA-4.0": "Creative Commons Attribution-ShareAlike 4.0 International",
    "CC-BY-4.0": "Creative Commons Attribution 4.0 International",
    "MIT": "MIT License",
}
# Results that quote passages, questions or answers of a dataset.
_QUOTING = re.compile(
    r"(ro-crate-preview\.html|datasets/.*|results/(report\.html|questions/.*|(.*/)?(nbest_)?predictions\.json))"
)
_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_ADDRESS = re.compile(r"https?://[^\s,;]+")


def media_type(name: str) -> str:
    """The type of a file by its name."""
    return _TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Sources:
    """Whose text is quoted in results: datasets that ask for credit."""

    inputs: tuple[str, ...]
    licences: tuple[str, ...]  # each once
    citations: tuple[str, ...]
    by_content: Mapping[str, tuple[str, str | None]]  # SHA-256 of any input: name, licence

    @classmethod
    def of(cls, certificate: Certificate) -> Self:
        """Of the certificate's inputs those under a Creative Commons licence."""
        credited = {
            name: each
            for name, each in sorted(certificate["inputs"].items())
            if (each["license"] or "").upper().startswith("CC-BY")
        }
        return cls(
            tuple(credited),
            tuple(dict.fromkeys(each["license"] or "" for each in credited.values())),
            tuple(dict.fromkeys(c for each in credited.values() if (c := each.get("citation")))),
            {e["sha256"]: (n, e["license"]) for n, e in certificate["inputs"].items()},
        )

    @property
    def credit(self) -> str:
        """One sentence about the text that is quoted, or nothing."""
        if not self.inputs:
            return ""
        whose = "; ".join(self.citations) or "its authors"
        return (
            f"Results quote text of {', '.join(self.inputs)} ({whose}), which is under "
            f"{' and '.join(self.licences)}: predictions, the report and its question explorer."
        )

    def quoted_in(self, name: str) -> bool:
        """Whether a file of the payload quotes them."""
        return bool(self.inputs) and _QUOTING.fullmatch(name) is not None


def licence_id(name: str) -> str:
    """The address of a licence; of one that has no SPDX name a local id."""
    return f"https://spdx.org/licenses/{name}" if _SPDX.fullmatch(name) else f"#{quote(name)}"


def licence_entity(name: str) -> Entity:
    """A licence by its SPDX name."""
    title = _TITLES.get(name, name)
    return {
        "@id": licence_id(name),
        "@type": "CreativeWork",
        "name": name,
        "description": title,
        "url": licence_id(name) if _SPDX.fullmatch(name) else None,
    }


def file_entity(name: str, facts: Facts, sources: Sources) -> Entity:
    """A file of the payload: one that is a source, word for word, under the source's licence."""
    source, own = sources.by_content.get(facts.sha256 or "", (None, None))
    quoting = source is None and sources.quoted_in(name)
    licences = sources.licences if quoting else [own] if own else []
    based = sources.inputs if quoting else [source] if source else []
    return {
        "@id": quote(name),
        "@type": "File",
        "name": PurePosixPath(name).name,
        "encodingFormat": media_type(name),
        "contentSize": None if facts.bytes is None else str(facts.bytes),
        "sha256": facts.sha256,
        "about": {"@id": "./"} if name in ("README.md", "ro-crate-preview.html") else None,
        "license": [{"@id": licence_id(each)} for each in licences],
        "isBasedOn": [{"@id": input_id(each)} for each in based],
    }


def input_id(name: str) -> str:
    """The id of a source."""
    return f"#input-{quote(name)}"


def input_entity(name: str, source: Input) -> Entity:
    """A file that came from elsewhere, by its catalogue's facts."""
    url = source["url"]
    cited = source.get("citation")
    address = _ADDRESS.search(cited or "")
    return {
        "@id": input_id(name),
        "@type": "CreativeWork",
        "name": name,
        "url": url if url and _ADDRESS.fullmatch(url) else None,
        "sha256": source["sha256"],
        "contentSize": str(source["bytes"]),
        "license": {"@id": licence_id(source["license"])} if source["license"] else None,
        "description": cited,
        "citation": {"@id": address[0]} if address else None,
    }


def left_out_entity(each: LeftOut, certificate: Certificate) -> Entity:
    """A file that the crate names and does not hold."""
    same = [n for n, s in certificate["inputs"].items() if s["sha256"] == each.sha256]
    return {
        "@id": f"#{quote(each.name)}",
        "@type": "CreativeWork",
        "name": each.name,
        "description": f"Not in this crate: {each.reason}",
        "encodingFormat": media_type(each.name),
        "sha256": each.sha256,
        "contentSize": None if each.bytes is None else str(each.bytes),
        "url": each.url,
        "sameAs": {"@id": input_id(same[0])} if same else None,
    }
