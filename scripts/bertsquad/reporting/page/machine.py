"""The machine as a person reads it: what it is, what it may use, how it is set; then every key."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bertsquad.machine import reading
from bertsquad.reporting.formats import mebibytes, whole

_SPELLING = {"cpu": "CPU", "cpus": "CPUs", "numa": "NUMA", "amx": "AMX"}


@dataclass(frozen=True, slots=True)
class Group:
    """A heading and its lines: name and what is said."""

    title: str
    lines: list[tuple[str, str]]


def machine_page(machine: dict[str, Any]) -> list[Group]:
    """The machine in a few lines. What the system does not tell is left out; every key of
    machine.json, and why one is missing, is in `machine_facts`."""
    groups = (
        Group("Processor", list(_processor(machine))),
        Group("Memory", list(_memory(machine))),
        Group("What a run may use", list(_limits(machine))),
        Group("Settings", list(_settings(machine))),
        Group("While it was looked at", list(_activity(machine))),
    )
    return [group for group in groups if group.lines]


def _processor(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    value = reading.value
    if model := value(machine, "cpu", "model"):
        kind = ", a virtual machine’s" if value(machine, "cpu", "hypervisor") else ""
        yield "model", f"{model}{kind}"
    counts = (
        ("socket", value(machine, "cpu", "sockets")),
        ("core", value(machine, "cpu", "cores")),
        ("thread", value(machine, "cpu", "logical")),
        ("NUMA node", value(machine, "cpu", "numa_nodes")),
    )
    known = [f"{whole(n)} {what}{'' if n == 1 else 's'}" for what, n in counts if n]
    if known:
        yield "made of", ", ".join(known)
    caches = value(machine, "cpu", "caches") or {}
    if sizes := [f"{name} {text}" for name, cache in caches.items() if (text := _cache(cache))]:
        yield "caches", ", ".join(sizes)
    if flags := value(machine, "cpu", "flags"):
        yield "instructions", ", ".join(flags)
    if native := value(machine, "native_precisions"):
        yield "precisions", f"{', '.join(native)} have instructions of their own"
    if amx := value(machine, "amx"):
        if amx.get("permitted"):
            yield "AMX", "may be used"
        elif amx.get("in_processor"):
            yield "AMX", f"not to be used: {amx.get('reason')}"


def _cache(cache: Any) -> str:
    """`2 × 1 MiB` of a cache."""
    if not isinstance(cache, dict) or "size_kib" not in cache:
        return "" if reading.is_unavailable(cache) else str(cache)
    size, instances = cache["size_kib"], cache.get("instances", 1)
    text = f"{whole(size)} KiB" if size < 1024 else f"{size / 1024:,.4g} MiB"
    return text if instances == 1 else f"{whole(instances)} × {text}"


def _memory(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if memory := reading.value(machine, "memory_mib"):
        yield "installed", mebibytes(memory)
    if limit := reading.value(machine, "cgroup", "memory_limit_mib"):
        yield "limit", f"{mebibytes(limit)}, of the container or job"
    if pages := reading.value(machine, "transparent_huge_pages"):
        yield "huge pages", str(pages)


def _limits(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    value = reading.value
    allowed, logical = value(machine, "allowed_cpus"), value(machine, "cpu", "logical")
    if allowed:
        of = f" of {whole(logical)}" if logical else ""
        yield "processors", f"{whole(len(allowed))}{of} ({_ranges([int(n) for n in allowed])})"
    if quota := value(machine, "cgroup", "cpu_quota"):
        yield "time of processors", f"that of {quota:g}, by the container or job"
    if threads := value(machine, "defaults", "threads"):
        yield "threads of a step", whole(threads)
    engine, image = value(machine, "container", "engine"), value(machine, "container", "image")
    if engine:
        yield "container", f"{engine}{f', image {image}' if image else ''}"


def _settings(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    value = reading.value
    for name, key in (("frequency governor", "governor"), ("turbo", "turbo")):
        found = value(machine, key)
        if found not in (None, ""):
            yield name, _joined(found)
    system = [value(machine, key) for key in ("operating_system", "kernel")]
    if known := [str(each) for each in system if each]:
        yield "system", ", ".join(known)
    kernels = value(machine, "kernels")
    if isinstance(kernels, dict) and isinstance(kernels.get("compiler"), str):
        yield "compiler of kernels", kernels["compiler"]
    for name, text in sorted((value(machine, "environment") or {}).items()):
        yield name, str(text)


def _activity(machine: dict[str, Any]) -> Iterator[tuple[str, str]]:
    others = reading.value(machine, "activity", "other_cpus")
    if others is not None:
        yield "other programs", f"kept {others:g} processors busy"
    stolen = reading.value(machine, "activity", "stolen_cpus")
    if stolen is not None:
        yield "the host", f"took away {stolen:g} processors"
    if load := reading.value(machine, "load_average"):
        yield "load average", ", ".join(f"{each:g}" for each in load)


def machine_facts(machine: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """The facts of machine.json, flat: name, value, known. Versions and warnings are elsewhere."""
    elsewhere = ("versions", "warnings", "notes")
    return list(_flat({key: of for key, of in machine.items() if key not in elsewhere}, ""))


def _flat(values: dict[str, Any], prefix: str) -> Any:
    """Nested facts as (name, value, known), depth first."""
    for key, value in values.items():
        words = " ".join(_SPELLING.get(word, word) for word in key.split("_"))
        name = f"{prefix} {words}".strip()
        if reading.is_unavailable(value):
            yield name, str(value["unavailable"]), False
        elif isinstance(value, dict) and set(value) == {"instances", "size_kib"}:  # a cache
            yield name, f"{value['instances']} × {whole(value['size_kib'])} KiB", True
        elif isinstance(value, dict) and key.endswith("_mib"):  # of each NUMA node
            name = name.removesuffix(" mib")
            yield from ((f"{name} {part}", mebibytes(size), True) for part, size in value.items())
        elif isinstance(value, dict):
            yield from _flat(value, name)
        elif key.endswith("_mib") and isinstance(value, int | float):
            yield name.removesuffix(" mib"), mebibytes(value), True
        elif value not in (None, [], ""):
            yield name, _joined(value), True


def _joined(value: Any) -> str:
    """A list on one line; a list of processor numbers as ranges."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, list):
        return str(value)
    if len(value) > 2 and all(str(each).isdigit() for each in value):
        return _ranges([int(each) for each in value])
    return ", ".join(_joined(each) for each in value)


def _ranges(numbers: list[int]) -> str:
    """[0, 1, 2, 3, 8] as 0-3, 8."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in parts)


def machine_name(machine: dict[str, Any]) -> str:
    """`Example 9000 (2 cores, 24.0 GiB)`, as far as it is known."""
    model = reading.value(machine, "cpu", "model") or "a processor that does not tell its name"
    cores, memory = reading.value(machine, "cpu", "cores"), reading.value(machine, "memory_mib")
    details = []
    if cores:
        details.append(f"{cores} core{'s' if cores != 1 else ''}")
    if memory:
        details.append(mebibytes(memory))
    return f"{model} ({', '.join(details)})" if details else str(model)
