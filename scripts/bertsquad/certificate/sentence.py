"""A certificate in words: what was done, by which code, and what to doubt."""

from collections import Counter

from bertsquad.certificate.chain import short
from bertsquad.certificate.schema import DOUBTS, Certificate, Doubt, DoubtKind

_SHOWN = 3  # doubts of a kind that are told one by one
# One of a kind, and several.
_COUNTED: dict[DoubtKind, tuple[str, str]] = {
    "edited-while-running": ("1 step edited while it ran", "{} steps edited while they ran"),
    "dirty-tree": ("code of no known commit", "code of no known commit"),
    "disturbed": ("1 disturbed measurement", "{} disturbed measurements"),
    "emulated": ("1 emulated measurement", "{} emulated measurements"),
    "untracked-input": ("1 input of unknown origin", "{} inputs of unknown origin"),
    "unpinned-image": ("an image that nothing identifies", "{} images that nothing identifies"),
    "metadata-missing": ("missing records", "missing records"),
    "changed-since": ("1 change since", "{} changes since"),
}


def sentence(certificate: Certificate) -> str:
    """What is certified, and every kind of doubt, in one line."""
    steps, files = len(certificate["steps"]), len(certificate["files"])
    return (
        f"Certified: {count(steps, 'step')}, {count(files, 'file')}, {code_of(certificate)}; "
        f"{doubts_in_short(certificate)}; chain {short(certificate['chain_sha256'])}."
    )


def code_of(certificate: Certificate) -> str:
    """Which code it was."""
    project = certificate["project"]
    if project["commit"] is None:
        return f"version {project['version'] or 'unknown'} without a commit"
    changed = len(project["dirty"])
    and_more = f" with changes to {count(changed, 'file')}" if changed else ""
    return f"commit {project['commit'][:12]}{and_more}"


def doubts_in_short(certificate: Certificate) -> str:
    """`no doubts`, or how many there are of each kind."""
    kinds = Counter(doubt["kind"] for doubt in certificate["doubts"])
    said = [_COUNTED[kind][number > 1].format(number) for kind, number in kinds.items()]
    return "doubts: " + ", ".join(said) if said else "no doubts"


def grouped_doubts(certificate: Certificate) -> list[tuple[str, list[str], int]]:
    """For each kind of doubt its meaning, the first few in their own words, how many more."""
    found: dict[DoubtKind, list[Doubt]] = {}
    for doubt in certificate["doubts"]:
        found.setdefault(doubt["kind"], []).append(doubt)
    return [
        (DOUBTS[kind], [doubt["what"] for doubt in each[:_SHOWN]], max(0, len(each) - _SHOWN))
        for kind, each in found.items()
    ]


def in_words(certificate: Certificate) -> str:
    """The sentence, the doubts, and the whole number: some lines of text."""
    lines = [sentence(certificate)]
    for meaning, said, more in grouped_doubts(certificate):
        lines.append(f"  doubt: {meaning}")
        lines += [f"    {each}" for each in said]
        lines += [f"    and {more} more"] if more else []
    return "\n".join([*lines, f"  chain {certificate['chain_sha256']}"]) + "\n"


def count(number: int, noun: str) -> str:
    """`1 step`, `1,012 steps`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
