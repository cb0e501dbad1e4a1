"""BagIt 1.0 (RFC 8493): payload in data/, and a manifest that `sha256sum -c` checks by itself."""

import re
from collections.abc import Iterable, Mapping

from bertsquad.certificate.holding import Holding, read_text, sha256_of
from bertsquad.console.errors import UserError

PAYLOAD = "data/"
DECLARATION = "bagit.txt"
INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
MAKEFILE = "Makefile"
TAG_FILES = (DECLARATION, INFO, MAKEFILE, MANIFEST)  # what the tag manifest lists
PARTS = (*TAG_FILES, TAG_MANIFEST, "data")  # of an unpacked bag; other files are not its own

_DECLARED = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def declaration() -> str:
    """bagit.txt."""
    return _DECLARED


def manifest(hashes: Mapping[str, str]) -> str:
    """The lines of a manifest, sorted by name; `sha256sum` writes them so, too."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))


def check_name(name: str) -> None:
    """`UserError` for a name that BagIt and `sha256sum` would write in two ways."""
    if not name.isprintable() or "\\" in name or "%" in name or name != name.strip():
        raise UserError(
            f"{name!r}: a file of this name cannot be in a crate (backslash, %, line break, "
            "space at an end); rename or remove it"
        )


def info(facts: Iterable[tuple[str, str]]) -> str:
    """bag-info.txt."""
    return "".join(f"{key}: {' '.join(value.split())}\n" for key, value in facts)


def oxum(sizes: Iterable[int]) -> str:
    """Payload-Oxum: bytes and files of the payload."""
    counted = list(sizes)
    return f"{sum(counted)}.{len(counted)}"


def parse_manifest(text: str, source: str) -> dict[str, str]:
    """Name to SHA-256; `UserError` with the line that is none."""
    hashes: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        found = _LINE.fullmatch(line)
        if not found:
            raise UserError(
                f"{source}: line {number}: found {line[:60]!r}, expected a SHA-256 of 64 "
                "lower-case hex digits, two spaces and a name"
            )
        if found[2] in hashes:
            raise UserError(f"{source}: line {number}: {found[2]} is listed twice")
        hashes[found[2]] = found[1]
    return hashes


def check_bag(held: Holding) -> dict[str, str]:
    """Every payload file's SHA-256, each of which was computed and is as its manifest says.

    `UserError` with the first file that is missing, not listed, or not as listed.
    """
    declared = read_text(held, DECLARATION)
    if declared != _DECLARED:
        raise UserError(f"{held.path}: {DECLARATION} is {declared[:60]!r}; expected BagIt 1.0")
    tags = _listed(held, TAG_MANIFEST)
    payload = _listed(held, MANIFEST)
    sizes = held.sizes()
    present = {name for name in sizes if name.startswith(PAYLOAD)}
    _same_names(held, tags, set(TAG_FILES) & set(sizes), TAG_MANIFEST)
    _same_names(held, payload, present, MANIFEST)
    if loose := sorted(set(sizes) - present - set(TAG_FILES) - {TAG_MANIFEST}):
        raise UserError(f"{held.path}: {loose[0]} is in no manifest; a crate has no such file")
    for name, sha256 in sorted({**tags, **payload}.items()):
        found = sha256_of(held, name)
        if found != sha256:
            raise UserError(
                f"{held.path}: {name} was changed: found sha256 {found[:12]}…, its manifest says "
                f"{sha256[:12]}…; get the crate from its author"
            )
    expected = f"Payload-Oxum: {oxum(sizes[name] for name in payload)}"
    if expected not in read_text(held, INFO).splitlines():
        raise UserError(f"{held.path}: {INFO} does not say {expected!r}; it was changed")
    return payload


def _listed(held: Holding, name: str) -> dict[str, str]:
    return parse_manifest(read_text(held, name), f"{held.path}: {name}")


def _same_names(
    held: Holding, listed: Mapping[str, str], present: set[str], manifest_name: str
) -> None:
    missing = sorted(set(listed) - present)
    if missing:
        raise UserError(f"{held.path}: {missing[0]} is listed in {manifest_name} and missing")
    more = sorted(present - set(listed))
    if more:
        raise UserError(f"{held.path}: {more[0]} is not listed in {manifest_name}; it was added")
