"""Were the inputs, the settings, the code and the environment the same, and are there doubts?"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from bertsquad.certificate.compare.answer import (
    CANNOT_TELL,
    DIFFER,
    MISSING,
    SAME,
    Answer,
    both,
    count,
    short,
)
from bertsquad.certificate.compare.sides import Side
from bertsquad.certificate.schema import DOUBTS, OUTSIDE

DOUBTFUL = "doubtful"
CLEAN = "clean"
WITH_DOUBTS = "with doubts"
ABSENT = "(absent)"

Pair = tuple[Any, Any]  # what A has, what B has


def inputs(a: Side, b: Side) -> Answer:
    """`same`, `differ`, or `missing` where only one run has a file; by SHA-256."""
    first, second = sources(a), sources(b)
    if not first or not second:
        return Answer(CANNOT_TELL, [f"{_lacking(first, a, b)} lists no inputs."])
    differing = input_differences(a, b)
    missing = sorted(set(first) ^ set(second))
    evidence = [
        f"{name}: sha256 {short(one)} / {short(two)}." for name, (one, two) in differing.items()
    ]
    evidence += [f"{name}: only in {'A' if name in first else 'B'}." for name in missing]
    if differing:
        return Answer(DIFFER, evidence)
    if missing:
        return Answer(MISSING, evidence)
    return Answer(SAME, [f"{count(len(first), 'file')} from elsewhere, all with equal SHA-256."])


def input_differences(a: Side, b: Side) -> dict[str, Pair]:
    """Files from elsewhere that both runs have and that differ: their checksums."""
    first, second = sources(a), sources(b)
    return {
        name: (first[name], second[name])
        for name in sorted(set(first) & set(second))
        if first[name] != second[name]
    }


def sources(side: Side) -> dict[str, str]:
    """The checksum of each file that no step made: what the run lists as inputs, and what its steps
    read beside. A file from outside the results folder counts where its name is in both."""
    listed = side.facts["inputs"] or {}
    found = {name: each["sha256"] for name, each in listed.items() if each["sha256"]}
    made: set[str] = set()
    for step in side.facts["steps"] or []:
        made.update(step["outputs"] or {})
    for step in side.facts["steps"] or []:
        for name, sha256 in (step["inputs"] or {}).items():
            if name not in made and input_name(name) not in listed:
                found[input_name(name)] = sha256
    return found


def input_name(name: str) -> str:
    """What an input file is called: a download by its own name, others by their path."""
    path = PurePosixPath(name.removeprefix(OUTSIDE))
    return path.name if path.parts[:2] == ("resources", "downloads") else str(path)


def settings(a: Side, b: Side) -> Answer:
    """`same` or `differ`, key by key, less what says how and where a run is made."""
    first, second = a.facts["config"], b.facts["config"]
    if not first or not second:
        return Answer(CANNOT_TELL, [f"{_lacking(first, a, b)} does not hold its configuration."])
    differing = setting_differences(a, b)
    if not differing:
        return Answer(SAME, ["All keys of the resolved configuration are equal."])
    return Answer(DIFFER, [f"{key}: {both(*pair)}." for key, pair in differing.items()])


def setting_differences(a: Side, b: Side) -> dict[str, Pair]:
    """Keys whose values differ, and both values."""
    first, second = (dict(_flat(side.facts["config"] or {})) for side in (a, b))
    return {
        key: (first.get(key, ABSENT), second.get(key, ABSENT))
        for key in sorted(set(first) | set(second))
        if key not in first or key not in second or first[key] != second[key]
    }


def _flat(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its path, `runs.demo.seed`. An empty object is a value of its own."""
    for key, part in config.items():
        if isinstance(part, dict) and part:
            yield from _flat(part, f"{prefix}{key}.")
        elif part != {}:
            yield f"{prefix}{key}", part


def code(a: Side, b: Side) -> Answer:
    """`same`, `differ`, or `doubtful` where something else may have run than was hashed."""
    steps = common_steps(a, b)
    known = [pair for pair in steps if pair[0]["code_sha256"] and pair[1]["code_sha256"]]
    differing = [pair for pair in known if pair[0]["code_sha256"] != pair[1]["code_sha256"]]
    if differing:
        modules: dict[str, list[str]] = {}
        for pair in differing:
            for module in module_differences(a, b, *pair):
                modules.setdefault(module, []).append(pair[0]["id"])
        return Answer(
            DIFFER,
            [
                f"{name}: in {count(len(ids), 'step')}, first {ids[0]}."
                for name, ids in modules.items()
            ],
        )
    doubts = [
        f"{side.label}: {(doubt['what'] or doubt['kind']).rstrip('.')}."
        for side in (a, b)
        for doubt in side.facts["doubts"] or []
        if doubt["kind"] == "edited-while-running"
        or (doubt["kind"] == "dirty-tree" and _dirty(side))
    ]
    doubts += [
        f"{side.label}: {count(len(dirty), 'file')} not as in the commit, first {dirty[0]}."
        for side in (a, b)
        if (dirty := _dirty(side))
        and not any(each["kind"] == "dirty-tree" for each in side.facts["doubts"] or [])
    ]
    if not known:
        return Answer(CANNOT_TELL, ["No step of both runs recorded its code.", *doubts])
    if doubts:
        return Answer(DOUBTFUL, doubts)
    evidence = [f"{count(len(known), 'step')} used modules with equal SHA-256."]
    unknown = len(steps) - len(known)
    if unknown:
        evidence.append(f"{count(unknown, 'step')} ran no code of the project, or recorded none.")
    return Answer(SAME, evidence)


def _dirty(side: Side) -> list[str]:
    """Files that are not as in the commit. Without git that is not known, and says nothing against
    modules whose checksums are."""
    return (side.facts["project"] or {}).get("dirty") or []


def common_steps(a: Side, b: Side) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The steps of both runs, matched by id, in A's order, which is topological."""
    second = {step["id"]: step for step in b.facts["steps"] or []}
    return [(s, second[s["id"]]) for s in a.facts["steps"] or [] if s["id"] in second]


def module_differences(
    a: Side, b: Side, first: Mapping[str, Any], second: Mapping[str, Any]
) -> dict[str, Pair]:
    """The modules of a step that differ, and both checksums."""
    ours, theirs = (
        (side.facts["code"] or {}).get(step["code_sha256"]) or {}
        for side, step in ((a, first), (b, second))
    )
    found = {
        name: (ours.get(name), theirs.get(name))
        for name in sorted(set(ours) | set(theirs))
        if ours.get(name) != theirs.get(name)
    }
    return found or {
        f"modules of {first['rule'] or first['id']}": (first["code_sha256"], second["code_sha256"])
    }


def environment(a: Side, b: Side) -> Answer:
    """`same` or `differ`: packages, container, processors. The kernel is told, and decides not."""
    if not a.facts["environment"] or not b.facts["environment"]:
        lacking = _lacking(a.facts["environment"], a, b)
        return Answer(CANNOT_TELL, [f"{lacking} does not hold its environment."])
    differing = environment_differences(a, b)
    kernels = [
        str(side.facts["environment"].get("kernel") or "not known").removeprefix("Linux ")
        for side in (a, b)
    ]
    told = [f"kernel: {both(*kernels)} (decides nothing)."] if kernels[0] != kernels[1] else []
    if differing:
        return Answer(DIFFER, [f"{k}: {both(*pair)}." for k, pair in differing.items()] + told)
    packages = len(a.facts["environment"]["packages"] or {})
    return Answer(
        SAME, [f"{count(packages, 'package')}, container and processors are equal.", *told]
    )


def recorded(side: Side) -> bool:
    """Whether some step recorded itself; else Snakemake's notes stand in."""
    return any(step["record"] for step in side.facts["steps"] or [])


Machines = Sequence[Mapping[str, Any]]


def environment_differences(
    a: Side, b: Side, machines: tuple[Machines, Machines] | None = None
) -> dict[str, Pair]:
    """What differs of packages, container and processors, and both values; what is likelier to
    decide a result comes first. `machines`: those that ran a step, else those of the whole runs."""
    first, second = (side.facts["environment"] or {} for side in (a, b))
    if not first or not second:
        return {}
    found: dict[str, Pair] = {}
    if _differ(first, second, "python"):
        found["python"] = (first["python"], second["python"])
    ours, theirs = (each.get("packages") or {} for each in (first, second))
    if ours and theirs:
        # What steps record and what machine.json holds are other lists of packages.
        alike = recorded(a) == recorded(b)
        names = set(ours) | set(theirs) if alike else set(ours) & set(theirs)
        for name in sorted(names):
            if ours.get(name) != theirs.get(name) and name not in found:
                found[name] = (ours.get(name, ABSENT), theirs.get(name, ABSENT))
    if first.get("container") != second.get("container"):
        found["container"] = (_image(first.get("container")), _image(second.get("container")))
    whole = [list((side.facts["machines"] or {}).values()) for side in (a, b)]
    found |= _processor_differences(*(machines or whole))
    if _differ(first, second, "libc"):
        found["libc"] = (first["libc"], second["libc"])
    if _differ(first, second, "constraints_sha256"):
        pair = first["constraints_sha256"], second["constraints_sha256"]
        found["constraints.txt"] = (short(pair[0]), short(pair[1]))
    return found


def _differ(first: Mapping[str, Any], second: Mapping[str, Any], key: str) -> bool:
    """Whether both are known, and differ."""
    return bool(first.get(key) and second.get(key) and first[key] != second[key])


def _image(container: Mapping[str, Any] | None) -> str:
    """What identifies a container's image."""
    if container is None:
        return "(none)"
    for key in ("image_id", "image_sha256", "digest", "image"):
        if isinstance(container.get(key), str):
            return str(container[key])
    return str(container.get("engine", "not told"))


def _processor_differences(first: Machines, second: Machines) -> dict[str, Pair]:
    """Models and flags that only one run's machines have; None is not known."""
    if not first or not second:
        return {}
    found: dict[str, Pair] = {}
    models = [sorted({m["cpu"] for m in each if m["cpu"]}) for each in (first, second)]
    if all(models) and models[0] != models[1]:
        found["processor"] = (", ".join(models[0]), ", ".join(models[1]))
    flags = [{flag for m in each for flag in m["flags"] or []} for each in (first, second)]
    if all(flags):
        for flag in sorted(flags[0] ^ flags[1]):
            pair = ("yes", "no") if flag in flags[0] else ("no", "yes")
            found[f"CPU flag {flag}"] = pair
    hashes = [{m["cpu_sha256"] for m in each if m["cpu_sha256"]} for each in (first, second)]
    if not found and all(hashes) and hashes[0] != hashes[1]:
        found["processor's identity"] = tuple(  # type: ignore[assignment]
            ", ".join(short(each) for each in sorted(side)) for side in hashes
        )
    return found


def trust(a: Side, b: Side) -> Answer:
    """`clean`, or `with doubts` of either run."""
    if a.facts["doubts"] is None or b.facts["doubts"] is None:
        lacking = "A" if a.facts["doubts"] is None else "B"
        return Answer(CANNOT_TELL, [f"{lacking} does not say what may be doubted."])
    evidence = [
        f"{side.label}: {name} is not as its certificate says; certify it anew if it was made anew."
        for side in (a, b)
        for name in sorted(side.changed)
    ]
    evidence += [
        f"{side.label}: {count(len(side.gone), 'file')} of its certificate gone, first "
        f"{min(side.gone)}; what it says of them is taken for true."
        for side in (a, b)
        if side.gone
    ]
    for side in (a, b):
        kinds: dict[str, list[str]] = {}
        for doubt in side.facts["doubts"]:
            kinds.setdefault(doubt["kind"], []).append(doubt["what"] or doubt["where"] or "")
        for kind, said in kinds.items():
            more = f"; and {len(said) - 1:,} more" if len(said) > 1 else ""
            evidence.append(f"{side.label}, {DOUBTS.get(kind, kind)}: {said[0].rstrip('.')}{more}.")
    return Answer(WITH_DOUBTS, evidence) if evidence else Answer(CLEAN, ["Neither has a doubt."])


def _lacking(first: Any, a: Side, b: Side) -> str:
    """The side that lacks something, where `first` is what A has."""
    return (b if first else a).label
