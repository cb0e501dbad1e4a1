"""One number for a whole run: equal where inputs, code, settings and every exact file are equal.

Two people compare it by phone. Times, hosts, machines, packages and paths are no part of it: where
those changed a result, the result's own hash tells.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bertsquad.certificate.manifest import class_of, json_sha256
from bertsquad.certificate.schema import OUTSIDE, File, Step

SHORT = 8  # hex digits that are shown to people


def chain_sha256(
    steps: Iterable[Step], files: Mapping[str, File], config_sha256: str | None
) -> str:
    """The SHA-256 over settings, steps in order of their ids, and files that belong to no step.

    Of a step: its id, code, options, the exact ones of its inputs and outputs. Steps that make
    nothing exact, as a benchmark's cells, are left out. Files from outside count by content.
    """
    made = set[str]()
    links = []
    for step in sorted(steps, key=lambda each: each["id"]):
        made.update(step["outputs"])
        outputs = _exact(step["outputs"], files)
        if outputs:
            links.append(
                [
                    step["id"],
                    step["code_sha256"],
                    step["params_sha256"],
                    _exact(step["inputs"], files),
                    outputs,
                ]
            )
    loose = _exact({n: f["sha256"] for n, f in files.items() if n not in made}, files)
    return json_sha256([config_sha256, links, loose])


def short(chain: str) -> str:
    """The number as people say it: `3f9c 01ab`."""
    return f"{chain[: SHORT // 2]} {chain[SHORT // 2 : SHORT]}"


def _exact(hashes: Mapping[str, str], files: Mapping[str, File]) -> list[list[Any]]:
    """Name and hash of what is exact, sorted; a file of which a part is exact, by that part."""
    found = []
    for name, sha256 in hashes.items():
        file = files.get(name)
        if file and "exact_sha256" in file:
            found.append([name, file["exact_sha256"]])
        elif class_of(name) == "exact":
            found.append(["" if name.startswith(OUTSIDE) else name, sha256])
    return sorted(found)
