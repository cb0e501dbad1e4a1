"""Entities of JSON-LD by their ids, flat as RO-Crate asks for."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bertsquad.certificate.crate.payload import CODE, RESULTS
from bertsquad.certificate.schema import Certificate

METADATA = "ro-crate-metadata.json"
WORKFLOW = CODE + "Snakefile"
TERMS = "https://w3id.org/ro/terms/workflow-run"
_SPACE = uuid.UUID("6d1c1d4e-3c55-5b0e-9a57-7f0a1b6d2c11")  # drawn once, for uuid5

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """Of a file; None where it is written after what holds this."""

    sha256: str | None
    bytes: int | None
    blob: str | None = None  # of code: the SHA-1 that git gives its content


@dataclass(slots=True)
class Graph:
    """Entities by id."""

    # Files of the certificate that are in the payload by other names than results/NAME.
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    pinned: Mapping[str, str] = field(default_factory=dict)  # package to version
    entities: dict[str, Entity] = field(default_factory=dict)

    def add(self, entity: Entity) -> Entity:
        """A reference to the entity; lists of one become that one, as RO-Crate 1.1 advises."""
        kept = {key: _single(value) for key, value in entity.items() if value not in (None, [])}
        self.entities.setdefault(entity["@id"], kept)
        return {"@id": entity["@id"]}

    def used(self, name: str) -> Entity:
        """A reference to a file of the certificate: in the crate, or described."""
        inside = quote(self.elsewhere.get(name, RESULTS + name))
        return {"@id": inside if inside in self.entities else f"#{quote(name)}"}


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def ref(name: str) -> Entity:
    """A reference to a file of the payload."""
    return {"@id": quote(name)}


def identifier(certificate: Certificate, what: str) -> str:
    """The same id for the same part of the same run."""
    return f"#{uuid.uuid5(_SPACE, certificate['chain_sha256'] + what)}"


def iso(when: str | None) -> str | None:
    """A time as the profile asks for it: to the second, in UTC as +00:00."""
    if when is None:
        return None
    date, _, rest = when.partition("T")
    return f"{date}T{rest[:8]}+00:00" if len(rest) >= 8 else None


def last_end(certificate: Certificate) -> str | None:
    """When the last step ended."""
    return max((s["ended"] for s in certificate["steps"] if s["ended"]), default=None)
