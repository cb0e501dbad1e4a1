"""What was scored on what, as a certificate's steps tell, and the same scores computed again."""

import json
import math
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from bertsquad.certificate.schema import Certificate, Step
from bertsquad.console.errors import UserError

_RULES = ("evaluate", "evaluate_on_machine")
_METRICS = "/metrics.json"
_PREDICTIONS = "predictions.json"
_NULL_ODDS = "null_odds.json"
_V2 = "--version-2-with-negative"
_THRESHOLD = "--na-prob-thresh"


@dataclass(frozen=True, slots=True)
class Scoring:
    """One evaluation. Files are named as in the certificate."""

    of: str  # a key of the certificate's scores: run/engine-precision
    predictions: str
    dataset: str
    dataset_sha256: str
    null_odds: str | None  # SQuAD 2.0
    version_2: bool  # asked for, whatever the dataset looks like
    threshold: float | None  # of the null odds


def scorings(certificate: Certificate) -> list[Scoring]:
    """The evaluations whose scores the certificate holds and of whose steps it knows the inputs."""
    found = (_scoring(step) for step in certificate["steps"] if step["rule"] in _RULES)
    return [each for each in found if each and each.of in certificate["scores"]]


def _scoring(step: Step) -> Scoring | None:
    outputs = [name for name in step["outputs"] if name.endswith(_METRICS)]
    by_name = {PurePosixPath(name).name: name for name in step["inputs"]}
    asked = [
        name
        for base, name in by_name.items()
        if base.endswith(".json") and base not in (_PREDICTIONS, _NULL_ODDS)
    ]
    if len(outputs) != 1 or len(asked) != 1 or _PREDICTIONS not in by_name:
        return None
    return Scoring(
        of=outputs[0].removesuffix(_METRICS),
        predictions=by_name[_PREDICTIONS],
        dataset=asked[0],
        dataset_sha256=step["inputs"][asked[0]],
        null_odds=by_name.get(_NULL_ODDS),
        version_2=_V2 in _words(step),
        threshold=_number_after(_words(step), _THRESHOLD),
    )


def _words(step: Step) -> list[str]:
    """The step's options, word by word."""
    try:
        return shlex.split(" ".join(step["params"].values()))
    except ValueError:
        return []


def _number_after(words: list[str], option: str) -> float | None:
    try:
        return float(words[words.index(option) + 1])
    except (ValueError, IndexError):
        return None


def check_scores(
    certificate: Certificate, scoring: Scoring, read: Callable[[str], bytes], dataset: bytes
) -> None:
    """`UserError` unless scoring again gives the certificate's numbers. Needs numpy.

    `read` gives a result's content by its name.
    """
    from bertsquad.answers import metrics_v2
    from bertsquad.answers.metrics import Scores

    questions = _json(dataset, scoring.dataset)
    predictions = _json(read(scoring.predictions), scoring.predictions)
    odds = _json(read(scoring.null_odds), scoring.null_odds) if scoring.null_odds else None
    scored = metrics_v2.scorer(questions, version_2_with_negative=scoring.version_2)
    if scored is metrics_v2.score:
        limit = scoring.threshold
        limit = metrics_v2.NA_PROB_THRESHOLD if limit is None else limit
        scores: Scores = metrics_v2.score(questions, predictions, odds, limit)
    else:
        scores = scored(questions, predictions)
    known = certificate["scores"][scoring.of]
    for name, number in (*scores.totals().items(), ("questions", len(scores.ids))):
        told = float(known[name])  # type: ignore[literal-required]
        # Python 3.12 and later add more exactly.
        if not math.isclose(number, told, rel_tol=1e-12, abs_tol=1e-12):
            raise UserError(
                f"{scoring.of}: {name} is {number!r} by {scoring.predictions}, and {told!r} by "
                "certificate.json: one of the two was changed"
            )


def _json(content: bytes, name: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise UserError(f"{name}: not valid JSON; it was damaged or changed") from None
