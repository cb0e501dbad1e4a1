"""attestation.json: an in-toto Statement about a crate's files, for those who sign such.

It is not signed here: `cosign attest-blob` or `gpg --detach-sign` takes the file as it is.
"""

from collections.abc import Mapping
from typing import Any

from bertsquad.certificate.schema import Certificate
from bertsquad.console.errors import UserError

STATEMENT = "https://in-toto.io/Statement/v1"
# An URN, since the predicate is this project's own: it has no page on the web.
PREDICATE = "urn:bertsquad:run:1"


def statement(hashes: Mapping[str, str], certificate: Certificate) -> dict[str, Any]:
    """A Statement v1 whose subjects are files by name and SHA-256."""
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": hashes[name]}} for name in sorted(hashes)],
        "predicateType": PREDICATE,
        "predicate": {
            "chain_sha256": certificate["chain_sha256"],
            "commit": certificate["project"]["commit"],
            "dirty": certificate["project"]["dirty"],
            "config_sha256": certificate["config_sha256"],
            "scores": certificate["scores"],
            "doubts": len(certificate["doubts"]),
        },
    }


def check_statement(
    value: Any, hashes: Mapping[str, str], certificate: Certificate, source: str
) -> None:
    """`UserError` unless `value` is the Statement about exactly these files and this run."""
    expected = statement(hashes, certificate)
    if not isinstance(value, dict) or value.get("_type") != STATEMENT:
        raise UserError(f"{source}: no in-toto Statement v1; it was damaged or changed")
    if value.get("subject") != expected["subject"]:
        raise UserError(f"{source}: its subjects are not the files of the manifest; it was changed")
    for key in ("predicateType", "predicate"):
        if value.get(key) != expected[key]:
            raise UserError(f"{source}: its {key} is not what certificate.json says")
