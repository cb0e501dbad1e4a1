"""Is the F1 of both runs equal, equivalent, different, or can it not be told? Model by model, on
the same questions, by the paired comparison that the answers have everywhere (answers/metrics.py).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertsquad.answers.intervals import CONFIDENCE
from bertsquad.answers.metrics import compare
from bertsquad.answers.metrics_v2 import NOT_SCORED, is_labelled, scorer
from bertsquad.certificate.compare.answer import CANNOT_TELL, Answer, count
from bertsquad.certificate.compare.sides import Side
from bertsquad.console.errors import UserError
from bertsquad.files import read_json, sha256

EQUAL, EQUIVALENT, DIFFERS = "equal", "equivalent", "differs"
MARGIN = 0.1  # points of F1 that nobody would act on
PREDICTIONS = "/predictions.json"
_NEGATIVES = "--version-2-with-negative"

Row = dict[str, Any]


def f1(
    a: Side, b: Side, margin: float = MARGIN, dataset: Path | None = None
) -> tuple[Answer, list[Row]]:
    """The verdict over all models, and a row a model. `dataset`: the questions, where neither run
    has them at hand."""
    names = sorted(_models(a) & _models(b))
    if not names:
        return Answer(CANNOT_TELL, ["No model of both runs has predictions."]), []
    read: dict[str, Any] = {}  # datasets by checksum: models share them
    rows = [_of_model(a, b, name, margin, dataset, read) for name in names]
    found = {row["verdict"] for row in rows}
    verdict = next(each for each in (DIFFERS, CANNOT_TELL, EQUIVALENT, EQUAL) if each in found)
    ordered = sorted(rows, key=lambda row: row["verdict"] != verdict)
    equal = [row for row in ordered if row["verdict"] == EQUAL]
    evidence = [row["sentence"] for row in ordered if row["verdict"] != EQUAL]
    if equal:
        evidence.append(f"{count(len(equal), 'model')}: every question has the same F1.")
    return Answer(verdict, evidence), rows


def _models(side: Side) -> set[str]:
    return {name.removesuffix(PREDICTIONS) for name in side.exact if name.endswith(PREDICTIONS)}


def _of_model(
    a: Side, b: Side, model: str, margin: float, dataset: Path | None, read: dict[str, Any]
) -> Row:
    name = model + PREDICTIONS
    row: Row = {"model": model, "verdict": CANNOT_TELL, "difference": None, "interval": None}
    if a.exact[name] == b.exact[name]:
        return row | {"verdict": EQUAL, "difference": 0.0, "sentence": f"{model}: same answers."}
    try:
        return row | _compared(a, b, model, margin, dataset, read)
    except UserError as error:
        return row | {"sentence": f"{model}: {error}."}


def _compared(
    a: Side, b: Side, model: str, margin: float, dataset: Path | None, read: dict[str, Any]
) -> Row:
    paths = [side.path(model + PREDICTIONS) for side in (a, b)]
    lacking = [side.label for side, path in zip((a, b), paths, strict=True) if path is None]
    if lacking:
        raise UserError(
            f"the answers differ, and those of {' and '.join(lacking)} are not at hand: give the "
            "results folder or the crate"
        )
    first, second = (read_predictions(path) for path in paths if path)
    check_questions(first, second)
    questions = _dataset(a, b, model, dataset, read)
    negatives = any(_NEGATIVES in _params(side, model) for side in (a, b))
    return paired(model, questions, first, second, margin, version_2_with_negative=negatives)


def paired(
    model: str,
    dataset: Any,
    first: Mapping[str, str],
    second: Mapping[str, str],
    margin: float = MARGIN,
    *,
    version_2_with_negative: bool = False,
) -> Row:
    """The verdict on two sets of answers to the same questions.

    `equal`: no question's F1 changed; `equivalent`: the interval of the difference lies within
    `margin` points; `differs`: it leaves out 0; else it cannot be told.
    """
    if not is_labelled(dataset):
        raise UserError(NOT_SCORED)
    scored = scorer(dataset, version_2_with_negative=version_2_with_negative)
    found = compare(dataset, first, second, scored=scored)
    low, high = found.f1_interval
    if not found.better and not found.worse:
        verdict = EQUAL
    elif -margin <= low and high <= margin:
        verdict = EQUIVALENT
    elif low > 0 or high < 0:
        verdict = DIFFERS
    else:
        verdict = CANNOT_TELL
    sentence = (
        f"{model}: B's F1 minus A's is {found.f1_difference:+.3f} points ({CONFIDENCE:.0%} "
        f"interval {low:+.3f} to {high:+.3f}, margin {margin:g}); {found.changed_answers:,} of "
        f"{len(found.first.ids):,} answers changed, {found.better:,} for the better, "
        f"{found.worse:,} for the worse; sign test p = {found.f1_sign_test:.2g}."
    )
    numbers = {
        "difference": found.f1_difference,
        "interval": [low, high],
        "sign_test": found.f1_sign_test,
        "changed_answers": found.changed_answers,
        "questions": len(found.first.ids),
    }
    return {"verdict": verdict, "sentence": sentence, **numbers}


def check_questions(first: Mapping[str, str], second: Mapping[str, str]) -> None:
    """`UserError` unless both answer the same questions."""
    only = [sorted(set(one) - set(other)) for one, other in ((first, second), (second, first))]
    if any(only):
        label, ids = ("A", only[0]) if only[0] else ("B", only[1])
        raise UserError(
            f"other questions: {len(first):,} in A, {len(second):,} in B, {ids[0]!r:.60} only in "
            f"{label}; F1 is compared on the same questions only"
        )


def read_predictions(path: Path) -> dict[str, str]:
    """Question id to answer; `UserError` for what is no such file."""
    found = read_json(path)
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise UserError(f"{path}: expected an object of question ids and answer texts")
    return found


def _dataset(a: Side, b: Side, model: str, given: Path | None, read: dict[str, Any]) -> Any:
    """The questions of a model, parsed. They are those whose checksum a step recorded."""
    if given is not None:
        return _parsed(given, str(given), read)
    wanted = [pair for side in (a, b) for pair in _asked(side, model)]
    for name, checksum in wanted:
        for side in (a, b):
            path = side.path(name)
            if path and _checksum(path, read) == checksum:
                return _parsed(path, checksum, read)
    name = wanted[0][0] if wanted else "the questions"
    raise UserError(f"the answers differ, and {name} is not at hand: give it by --dataset")


def _parsed(path: Path, key: str, read: dict[str, Any]) -> Any:
    if key not in read:
        read[key] = read_json(path)
    return read[key]


def _checksum(path: Path, read: dict[str, Any]) -> str:
    key = f"sha256 of {path}"
    if key not in read:
        read[key] = sha256(path)
    return str(read[key])


def _asked(side: Side, model: str) -> list[tuple[str, str]]:
    """The JSON files, with their checksums, that the answers of a model were made or scored with;
    one of them holds the questions."""
    mine = f"{model}/"
    return [
        (name, checksum)
        for step in _steps(side, model)
        for name, checksum in (step["inputs"] or {}).items()
        if name.endswith(".json") and not name.startswith(mine) and "/model/" not in name
    ]


def _params(side: Side, model: str) -> list[str]:
    """Their options, word by word."""
    texts = [text for step in _steps(side, model) for text in (step["params"] or {}).values()]
    return " ".join(texts).split()


def _steps(side: Side, model: str) -> list[Mapping[str, Any]]:
    """The steps that score the answers of a model, or made them."""
    made = (f"{model}/metrics.json", model + PREDICTIONS)
    found = [
        (made.index(name), step)
        for step in side.facts["steps"] or []
        for name in step["outputs"] or {}
        if name in made
    ]
    return [step for _, step in sorted(found, key=lambda each: each[0])]
