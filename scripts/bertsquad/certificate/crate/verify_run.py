"""Whether a certificate is consistent in itself, and with the code and settings beside it."""

from collections.abc import Callable, Mapping
from typing import Any

from bertsquad.certificate.chain import chain_sha256, short
from bertsquad.certificate.crate.payload import CODE, RESULTS
from bertsquad.certificate.manifest import json_sha256, settings
from bertsquad.certificate.record import listing_sha256
from bertsquad.certificate.schema import Certificate, Step
from bertsquad.console.errors import UserError

# Doubts that tell of a step whose files do not fit together: what they name is no forgery.
_TOLD = ("edited-while-running", "untracked-input", "metadata-missing", "changed-since")
_NO_CODE = listing_sha256({})


def check_chain(certificate: Certificate, source: str) -> str:
    """The chain is that of the steps and files."""
    found = chain_sha256(certificate["steps"], certificate["files"], certificate["config_sha256"])
    if found != certificate["chain_sha256"]:
        raise UserError(
            f"{source}: its chain is {found[:12]}…, it says {certificate['chain_sha256'][:12]}…; "
            "it was changed after it was made"
        )
    return f"chain: {short(found)} ({found})"


def check_steps(certificate: Certificate, source: str) -> str:
    """What each step used is what an earlier one made, or a declared source."""
    sources = {entry["sha256"] for entry in certificate["inputs"].values()}
    doubted = {doubt["where"] for doubt in certificate["doubts"] if doubt["kind"] in _TOLD}
    made: dict[str, str] = {}
    makers = {name for step in certificate["steps"] for name in step["outputs"]}
    seen: set[str] = set()
    told = 0
    for step in certificate["steps"]:
        if step["id"] in seen:
            raise UserError(f"{source}: the step {step['id']} is there twice; it was changed")
        seen.add(step["id"])
        for name, digest in step["inputs"].items():
            wrong = _wrong_input(step, name, digest, made, makers, sources, certificate)
            if wrong and not {step["id"], name} & doubted:
                raise UserError(f"{source}: {wrong}")
            told += bool(wrong)
        for name, digest in step["outputs"].items():
            kept = certificate["files"].get(name)
            if kept and kept["sha256"] != digest and not {step["id"], name} & doubted:
                raise UserError(
                    f"{source}: {step['id']} made {name} with sha256 {digest[:12]}…, and the file "
                    f"has {kept['sha256'][:12]}…; one of the two was changed"
                )
        made.update(step["outputs"])
    line = f"steps: {len(seen)}, each on what earlier ones made or on {len(sources)} sources"
    return line + (f"; {told} inputs are doubtful, as it says" if told else "")


def _wrong_input(
    step: Step,
    name: str,
    digest: str,
    made: Mapping[str, str],
    makers: set[str],
    sources: set[str],
    certificate: Certificate,
) -> str | None:
    """Why a step cannot have used this file, in words."""
    if name in made:
        if made[name] == digest:
            return None
        return (
            f"{step['id']} used {name} with sha256 {digest[:12]}…, and it was made with "
            f"{made[name][:12]}…; one of the two was changed"
        )
    if name in makers:
        return f"{step['id']} used {name} before it was made; the order of its steps was changed"
    if digest in sources:
        return None
    return (
        f"{step['id']} used {name}, which no step made and which is no declared source; "
        "a step or source was removed"
    )


def check_code(certificate: Certificate, hashes: Mapping[str, str], source: str) -> str:
    """The listings of code are what steps name; how many modules are here as they ran.

    A module that only words messages may have been edited since it ran: no result depends on it.
    """
    for digest, modules in certificate["code"].items():
        if listing_sha256(modules) != digest:
            raise UserError(
                f"{source}: the code {digest[:12]}… is not what it lists; it was changed"
            )
    for step in certificate["steps"]:
        told = (None, _NO_CODE, *certificate["code"])  # a rule may track no code
        if step["code_sha256"] not in told:
            raise UserError(f"{source}: nothing tells the code of {step['id']}; it was changed")
    ran = {(n, each) for modules in certificate["code"].values() for n, each in modules.items()}
    names = {name for name, _ in ran}
    same = {name for name, each in ran if hashes.get(f"{CODE}scripts/{name}") == each}
    line = f"code: {len(same)} of {len(names)} modules that ran are here as they ran"
    other = sorted(names - same)
    return line + (f"; not {', '.join(other[:3])}" if other else "")


def check_settings(
    certificate: Certificate,
    hashes: Mapping[str, str],
    read_json: Callable[[str], Any],
    source: str,
) -> str:
    """The configuration and package versions are those beside the certificate."""
    digest = certificate["config_sha256"]
    if digest is not None and json_sha256(certificate["config"]) != digest:
        raise UserError(f"{source}: its config is not what config_sha256 says; it was changed")
    name = RESULTS + "config.json"
    if name in hashes:
        config = read_json(name)
        if not isinstance(config, dict) or settings(config) != certificate["config"]:
            raise UserError(f"{source}: its config is not that of {name}; one of them was changed")
    pinned = certificate["environment"]["constraints_sha256"]
    other = pinned is not None and hashes.get("constraints.txt", pinned) != pinned
    line = f"settings: {len(certificate['config'])} keys, as config.json"
    return line + ("; constraints.txt is another than at the run" if other else "")
