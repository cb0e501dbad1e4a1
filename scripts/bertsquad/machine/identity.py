"""What a processor is told apart by: times of one kind say nothing about another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from bertsquad.machine.cpu import CpuInfo, allowed_cpus, isa_of_interest, read_cpu
from bertsquad.machine.reading import attempt, is_unavailable


def describe_identity(cpu: Any, cores: Any) -> dict[str, Any]:
    """`model`, `flags_sha256` and `cores` of what `read_cpu` read and of how many processors a
    process may use; None for what the system hides.

    The flags are those that inference kernels choose by, sorted: a kernel or firmware that names
    one more weakness of a processor makes no other machine of it.
    """
    known = isinstance(cpu, CpuInfo)
    return {
        "model": cpu.model if known else None,
        "flags_sha256": flags_sha256(cpu.flags) if known else None,
        "cores": None if is_unavailable(cores) else cores,
    }


def read_identity(cores: int | None = None) -> dict[str, Any]:
    """The identity of this machine; `cores`: the processors that this process could use before it
    was kept to some of them."""
    found = attempt(lambda: len(allowed_cpus())) if cores is None else cores
    return describe_identity(attempt(read_cpu), found)


def flags_sha256(flags: Iterable[str]) -> str:
    """A checksum of the instructions that kernels choose by."""
    return hashlib.sha256(" ".join(sorted(isa_of_interest(flags))).encode()).hexdigest()


def identity_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """The `cpu_identity` of a cell, or the `cpu.identity` of machine.json; of files without one,
    what else they hold."""
    cpu, allowed = found.get("cpu"), found.get("allowed_cpus")
    inside = cpu if isinstance(cpu, dict) else {}
    identity = found.get("cpu_identity") or inside.get("identity")
    if isinstance(identity, dict):
        return {name: identity.get(name) for name in ("model", "flags_sha256", "cores")}
    model, flags = inside.get("model") if inside else cpu, inside.get("flags")
    return {
        "model": model if isinstance(model, str) and model != "unknown" else None,
        "flags_sha256": flags_sha256(map(str, flags)) if isinstance(flags, list) else None,
        "cores": len(allowed) if isinstance(allowed, list) else None,
    }


def other_machine(measured: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    """In words, that a cell was measured on another machine than machine.json describes; "" where
    nothing that both know differs."""
    ours, theirs = identity_of(measured), identity_of(described)
    differ = [
        name
        for name in ours
        if None not in (ours[name], theirs[name]) and ours[name] != theirs[name]
    ]
    if not differ:
        return ""
    # The name alone where it tells them apart.
    shown = ["model"] if "model" in differ else ["model", *differ]
    where = "host " if _host(measured) else ""
    return (
        f"measured on {where}{_in_words(measured, ours, shown)}; machine.json is of "
        f"{_in_words(described, theirs, shown)}"
    )


def _host(found: Mapping[str, Any]) -> str:
    """The batch system's name of a node, or the host's own; "" where a file does not tell."""
    host = found.get("node") or found.get("host")
    return host if isinstance(host, str) else ""


def _in_words(found: Mapping[str, Any], identity: Mapping[str, Any], shown: list[str]) -> str:
    """`n7, AMD EPYC 9755, 1 processor`."""
    parts = list(filter(None, [_host(found)]))
    parts.append(identity["model"] or "an unknown processor")
    if "cores" in shown:
        parts.append(f"{identity['cores']} processor{'' if identity['cores'] == 1 else 's'}")
    if "flags_sha256" in shown:
        parts.append(f"instructions {identity['flags_sha256'][:8]}")
    return ", ".join(parts)
