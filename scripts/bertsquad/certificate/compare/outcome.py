"""Two runs compared: eight questions, where they part, and whether one reproduces the other."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.certificate.compare import questions, scores, speed
from bertsquad.certificate.compare.answer import CANNOT_TELL, DIFFER, MISSING, Answer, count
from bertsquad.certificate.compare.divergence import UNEXPLAINED, Divergence, divergences
from bertsquad.certificate.compare.outputs import IDENTICAL, ROUNDING, outputs
from bertsquad.certificate.compare.sides import Side, check_common

FORMAT = "bertsquad-comparison/1"
TITLES = {
    "inputs": "Inputs",
    "settings": "Settings",
    "code": "Code",
    "environment": "Environment",
    "predictions": "Weights, logits, predictions",
    "f1": "F1",
    "speed": "Throughput and latency",
    "trust": "Trust",
}
REQUIRED = ("inputs", "settings", "code", "predictions", "f1", "speed")
REPRODUCED, DIFFERS, UNKNOWN = 0, 1, 3
_WORDS = {REPRODUCED: "Reproduced", DIFFERS: "Not reproduced", UNKNOWN: "Can't tell"}
_WRONG = (DIFFER, scores.DIFFERS)
_OPEN = (CANNOT_TELL, MISSING, questions.DOUBTFUL, questions.WITH_DOUBTS)


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts, and how much of a difference nobody would act on."""

    require: tuple[str, ...] = REQUIRED
    explicit: bool = False  # the user named what counts, so that all of it must be known
    margin: float = scores.MARGIN  # points of F1
    band: float = speed.BAND  # of a ratio of speeds
    dataset: Path | None = None  # the questions, where neither run has them


def compare(a: Side, b: Side, rules: Rules) -> dict[str, Any]:
    """What compare.json holds. `UserError` where the two have nothing in common."""
    check_common(a, b)
    predictions, files = outputs(a, b)
    f1, models = scores.f1(a, b, rules.margin, rules.dataset)
    cells = speed.compare_cells(a, b, rules.band)
    answers = {
        "inputs": questions.inputs(a, b),
        "settings": questions.settings(a, b),
        "code": questions.code(a, b),
        "environment": questions.environment(a, b),
        "predictions": predictions,
        "f1": f1,
        "speed": _of_cells(a, b, cells),
        "trust": questions.trust(a, b),
    }
    found = divergences(a, b)
    status = exit_status(answers, found, cells, rules)
    return {
        "format": FORMAT,
        "a": _side(a),
        "b": _side(b),
        "sentence": _sentence(status, answers, files, found, cells),
        "verdicts": {name: answer.as_json() for name, answer in answers.items()},
        "first_divergence": found[0].as_json() if found else None,
        "divergences": [each.as_json() for each in found],
        "files": files,
        "models": models,
        "cells": cells,
        "doubts": {"a": a.facts["doubts"], "b": b.facts["doubts"]},
        "require": list(rules.require),
        "margin": rules.margin,
        "band": rules.band,
        "exit": status,
    }


def _side(side: Side) -> dict[str, Any]:
    project = side.facts["project"] or {}
    return {
        "name": side.shown,
        "certificate": not side.made_now,
        "chain_sha256": side.facts["chain_sha256"],
        "commit": project.get("commit"),
        "version": project.get("version"),
        "command": side.facts["command"],
    }


def _of_cells(a: Side, b: Side, cells: Sequence[Mapping[str, Any]]) -> Answer:
    """One verdict of all cells: the worst."""
    if not cells:
        return Answer(CANNOT_TELL, ["No cell was measured in both runs."])
    by_word = {word: [row for row in cells if row["verdict"] == word] for word in _CELL_WORDS}
    verdict = next(word for word in _CELL_WORDS if by_word[word])
    evidence = [
        f"{row['cell']}, {row['metric']}: {word}, {_ratio(row)}."
        for word in (speed.SLOWER, speed.FASTER, speed.WITHIN)
        for row in by_word[word]
    ]
    reasons: dict[str, int] = {}
    for row in by_word[CANNOT_TELL]:
        why = _DETAIL.sub("", row["reason"])
        reasons[why] = reasons.get(why, 0) + 1
    evidence += [f"can't tell, {count(n, 'row')}: {why}." for why, n in reasons.items()]
    first, second = (set(side.facts["speeds"] or {}) for side in (a, b))
    for label, only in (("A", first - second), ("B", second - first)):
        if only:
            evidence.append(f"{count(len(only), 'cell')} in {label} only.")
    return Answer(verdict, evidence)


_DETAIL = re.compile(r" \([^()]*\)")  # of a reason: each cell has its own
# The first of these that some cell has is the verdict on all.
_CELL_WORDS = (speed.SLOWER, CANNOT_TELL, speed.FASTER, speed.WITHIN)


def _ratio(row: Mapping[str, Any]) -> str:
    ratio = row["ratio"]
    return (
        f"B's speed is {ratio['value']:.3f} of A's ({speed.LEVEL:.0%} interval {ratio['low']:.3f} "
        f"to {ratio['high']:.3f})"
    )


def exit_status(
    answers: Mapping[str, Answer],
    found: Sequence[Divergence],
    cells: Sequence[Mapping[str, Any]],
    rules: Rules,
) -> int:
    """0: what counts is reproduced; 1: it differs; 3: it cannot be told."""
    states = [
        _state_of_results(answers, found, rules),
        *(
            _state(answers[name].verdict)
            for name in rules.require
            if name not in ("predictions", "f1", "speed")
        ),
    ]
    if "speed" in rules.require:
        slower = any(row["verdict"] == speed.SLOWER for row in cells)
        unknown = not cells or any(row["verdict"] == CANNOT_TELL for row in cells)
        states.append(DIFFERS if slower else UNKNOWN if unknown and rules.explicit else REPRODUCED)
    if DIFFERS in states:
        return DIFFERS
    return UNKNOWN if UNKNOWN in states else REPRODUCED


def _state(verdict: str) -> int:
    if verdict in _WRONG:
        return DIFFERS
    return UNKNOWN if verdict in _OPEN else REPRODUCED


def _state_of_results(
    answers: Mapping[str, Answer], found: Sequence[Divergence], rules: Rules
) -> int:
    """Of predictions and F1, which stand for each other: other bytes are no difference where
    something accounts for them and F1 is the same. Bytes that nothing accounts for are one."""
    predictions, f1 = answers["predictions"].verdict, answers["f1"].verdict
    counts = [name for name in ("predictions", "f1") if name in rules.require]
    if not counts:
        return REPRODUCED
    if counts == ["f1"]:
        return _state(f1)
    if any(each.kind in UNEXPLAINED for each in found):
        return DIFFERS
    if predictions in (IDENTICAL, CANNOT_TELL):
        return _state(predictions)
    if counts == ["predictions"]:
        return REPRODUCED if predictions == ROUNDING else DIFFERS
    return _state(f1)


def _sentence(
    status: int,
    answers: Mapping[str, Answer],
    files: Mapping[str, Any],
    found: Sequence[Divergence],
    cells: Sequence[Mapping[str, Any]],
) -> str:
    """The page's first line."""
    parts = [
        f"{name} {_IN_A_SENTENCE.get((name, verdict), verdict)}"
        for name in ("inputs", "settings", "code")
        if (verdict := answers[name].verdict) != "same"
    ]
    parts += [
        f"{files['equal']:,} of {files['files']:,} exact files equal",
        f"F1 {answers['f1'].verdict}",
        _cells_in_words(cells),
    ]
    first = f". First difference: {found[0].sentence}" if found else ""
    return f"{_WORDS[status]}: {'; '.join(parts)}{first}."


_IN_A_SENTENCE = {("code", DIFFER): "differs", ("code", CANNOT_TELL): "not known"} | {
    (name, CANNOT_TELL): "not known" for name in ("inputs", "settings")
}


def _cells_in_words(cells: Sequence[Mapping[str, Any]]) -> str:
    if not cells:
        return "no cell in both runs"
    told = []
    for word in (speed.SLOWER, speed.FASTER):
        number = len({row["cell"] for row in cells if row["verdict"] == word})
        if number:
            told.append(f"{count(number, 'cell')} {word}")
    unknown = len({row["cell"] for row in cells if row["verdict"] == CANNOT_TELL})
    if unknown:
        total = count(len({row["cell"] for row in cells}), "cell")
        told.append(f"speed can't be told in {unknown:,} of {total}")
    return ", ".join(told) or "no cell slower or faster"
