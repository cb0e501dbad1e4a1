"""Are weights, logits, predictions and all other exact files the same, bit by bit or nearly?"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from bertsquad.answers import logits
from bertsquad.answers.comparison import check_same_features, compare_logits
from bertsquad.certificate.compare.answer import CANNOT_TELL, DIFFER, Answer, count, short
from bertsquad.certificate.compare.sides import Side
from bertsquad.console.errors import UserError
from bertsquad.reporting.formats import tiny

IDENTICAL = "bit-identical"
ROUNDING = "within rounding"
LOGITS = "/logits.safetensors"
_KINDS = {  # of results by which a run is judged, and how their names end
    "weights": ("/model/model.safetensors", ".bin", ".xml", "quantized"),
    "logits": (LOGITS,),
    "predictions": ("/predictions.json",),
}
# FP32 of two engines differs by no more than 1e-4 (the report says so of every run).
_FP32_ROUNDING = 1e-4
# BF16 keeps 8 bits of a number, and INT8's scales are as coarse: a step of the last of them.
_COARSE_ROUNDING = 2.0**-8
_LONGEST_ANSWER = 30  # tokens, run_squad.py's default
_MOST_TOKENS = 1_000_000  # of a window, by far


def outputs(a: Side, b: Side) -> tuple[Answer, dict[str, Any]]:
    """The verdict on all files of which a part is exact, and the facts: how many there are and
    `differing` and `missing` ones by name."""
    common = sorted(set(a.exact) & set(b.exact))
    differing = [name for name in common if a.exact[name] != b.exact[name]]
    missing = sorted(set(a.exact) ^ set(b.exact))
    facts = {
        "files": len(common),
        "equal": len(common) - len(differing),
        "differing": differing,
        "missing": missing,
    }
    if not common:
        return Answer(CANNOT_TELL, ["No exact file is in both runs."]), facts
    evidence = [f"{facts['equal']:,} of {count(len(common), 'exact file')} equal."]
    kinds = "; ".join(f"{kind} {_of_kind(kind, common, differing)}" for kind in _KINDS)
    evidence.append(f"Bit-identical are: {kinds}.")
    evidence += [
        f"{name}: sha256 {short(a.exact[name])} / {short(b.exact[name])}." for name in differing
    ]
    evidence += [f"{name}: only in {'A' if name in a.exact else 'B'}." for name in missing]
    if not differing:
        return Answer(CANNOT_TELL if missing else IDENTICAL, evidence), facts
    judged = [name for name in differing if kind_of(name)]
    if not judged:
        return Answer(DIFFER, evidence), facts
    rounded, told = _rounding(a, b, [name for name in judged if name.endswith(LOGITS)])
    return Answer(ROUNDING if rounded else DIFFER, told + evidence), facts


def kind_of(name: str) -> str | None:
    """weights, logits or predictions; None for another file."""
    return next((kind for kind, ends in _KINDS.items() if name.endswith(ends)), None)


def _of_kind(kind: str, common: Iterable[str], differing: Iterable[str]) -> str:
    total = sum(kind_of(name) == kind for name in common)
    other = sum(kind_of(name) == kind for name in differing)
    if not total:
        return "none in both runs"
    return f"{total - other:,} of {total:,}"


def _rounding(a: Side, b: Side, names: list[str]) -> tuple[bool, list[str]]:
    """Whether all differing logits differ by rounding alone, and a sentence a file. Without
    differing logits nothing is known of rounding."""
    within, told = [], []
    for name in names:
        try:
            close, sentence = _difference(a, b, name)
        except UserError as error:
            close, sentence = False, f"{name}: {error}."
        within.append(close)
        told.append(sentence)
    return bool(within) and all(within), told


def _longest_answer(side: Side) -> int:
    """In tokens, as the run's configuration says; anybody may have edited it."""
    decoding = (side.facts["config"] or {}).get("decoding")
    found = decoding.get("max_answer_length") if isinstance(decoding, dict) else None
    if isinstance(found, int) and not isinstance(found, bool) and 1 <= found <= _MOST_TOKENS:
        return found
    return _LONGEST_ANSWER


def _difference(a: Side, b: Side, name: str) -> tuple[bool, str]:
    """Whether two files of logits are equal but for rounding, and how far they are apart."""
    paths = [side.path(name) for side in (a, b)]
    if paths[0] is None or paths[1] is None:
        raise UserError("differ, and both files are not at hand: give results folders or crates")
    first, second = logits.read(paths[0]), logits.read(paths[1])
    check_same_features(paths[0], first, paths[1], second)
    found = compare_logits(first, second, max_answer_length=_longest_answer(a))
    largest = float(found["max_logit_difference"])
    bound = _FP32_ROUNDING
    if first.precision != "fp32":
        both = (first.start_logits, first.end_logits)
        bound = _COARSE_ROUNDING * max(float(np.abs(each).max(initial=0)) for each in both)
    sentence = (
        f"{name}: logits differ by up to {tiny(largest)} ({tiny(bound)} is rounding in "
        f"{first.precision}); the best span moved in {found['changed_spans']:,} of "
        f"{found['features']:,} features."
    )
    return largest <= bound, sentence
