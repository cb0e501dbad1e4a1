"""Name what was probably meant when a name is unknown."""

import difflib
import os
from collections.abc import Iterable

_SHOWN = 12  # names listed before "and N more": one line must stay readable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean A or B? known: A, B, C` for an error message; near matches first."""
    known = sorted(known)
    if not known:
        return "there are none"
    lower = {entry.lower(): entry for entry in known}
    near = [lower[match] for match in difflib.get_close_matches(name.lower(), lower, cutoff=0.6)]
    listed = ", ".join(known[:_SHOWN])
    if len(known) > _SHOWN:
        listed += f" and {len(known) - _SHOWN} more"
    question = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{question}known: {listed}"


def unknown_target(target: str, rules: Iterable[str], files: Iterable[str]) -> str:
    """A line for a target of Snakemake that no rule is named or makes."""
    known = set(files) if os.sep in target or "." in target else set(rules)
    near = difflib.get_close_matches(target, sorted(known), n=1, cutoff=0.6)
    meant = f"; did you mean {near[0]}?" if near else ";"
    return (
        f"no rule makes the target {target}{meant} `snakemake --list-target-rules` lists the rules"
    )
