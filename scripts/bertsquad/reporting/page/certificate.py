"""The certificate on one screen of the report."""

from collections import Counter
from dataclasses import dataclass

from bertsquad.certificate.chain import short
from bertsquad.certificate.schema import Certificate
from bertsquad.certificate.sentence import code_of, count, grouped_doubts
from bertsquad.reporting.formats import whole

_SHOWN = 6  # names in a line; certificate.json has all
_MAIN_PACKAGES = ("torch", "openvino", "onnxruntime", "numpy")


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What the section shows."""

    short: str  # the number as people say it
    chain: str  # all of it
    lines: list[tuple[str, str]]  # a fact's name, and what it is
    doubts: list[tuple[str, list[str], int]]  # meaning, the first few, how many more


def certificate_facts(certificate: Certificate) -> CertificateFacts:
    """The facts in the order of the question: what was done, by which code, on what, where."""
    chain = certificate["chain_sha256"]
    lines = [
        ("done", _done(certificate)),
        ("by", _code(certificate)),
        ("command", certificate["command"] or ""),
        ("on", _inputs(certificate)),
        ("settings", _hash(certificate["config_sha256"])),
        ("machines", _machines(certificate)),
        ("software", _software(certificate)),
    ]
    return CertificateFacts(
        short(chain), chain, [line for line in lines if line[1]], grouped_doubts(certificate)
    )


def _done(certificate: Certificate) -> str:
    """How many steps, what they came to, and files by class."""
    steps, rules = certificate["steps"], {step["rule"] for step in certificate["steps"]}
    classes = Counter(file["class"] for file in certificate["files"].values())
    files = ", ".join(f"{whole(classes[kind])} {kind}" for kind in ("exact", "timed", "log"))
    parts = [
        f"{count(len(steps), 'step')} of {count(len(rules), 'rule')}",
        count(len(certificate["scores"]), "score"),
        count(len(certificate["speeds"]), "measured cell"),
        f"{count(len(certificate['files']), 'file')} ({files})",
    ]
    return ", ".join(part for part in parts if not part.startswith("0 "))


def _code(certificate: Certificate) -> str:
    modules = {name for code in certificate["code"].values() for name in code}
    counted = f", {whole(len(modules))} modules" if modules else ""
    note = certificate["project"].get("note", "")
    return f"{code_of(certificate)}{counted}{f' ({note})' if note else ''}"


def _inputs(certificate: Certificate) -> str:
    """Names and licences of the inputs."""
    said = [
        f"{name} ({each['license'] or 'licence not known'})"
        for name, each in certificate["inputs"].items()
    ]
    return _few(said)


def _few(said: list[str]) -> str:
    more = f" and {whole(len(said) - _SHOWN)} more" if len(said) > _SHOWN else ""
    return ", ".join(said[:_SHOWN]) + more


def _machines(certificate: Certificate) -> str:
    said = []
    for machine in certificate["machines"].values():
        hosts = _few(machine["hosts"])
        said.append(f"{machine['cpu'] or 'unknown processor'}{f' ({hosts})' if hosts else ''}")
    return "; ".join(said)


def _software(certificate: Certificate) -> str:
    environment = certificate["environment"]
    packages = environment["packages"]
    named = [f"{name} {packages[name]}" for name in _MAIN_PACKAGES if name in packages]
    python = f"Python {environment['python']}" if environment["python"] else ""
    container = environment["container"]
    image = f"in a container ({container.get('engine')})" if container else ""
    kernel = (environment["kernel"] or "").removeprefix("Linux ")
    parts = [python, *named, f"Linux {kernel}" if kernel else "", environment["libc"] or "", image]
    return ", ".join(part for part in parts if part)


def _hash(sha256: str | None) -> str:
    return f"config.json, resolved: {sha256[:16]}…" if sha256 else ""
