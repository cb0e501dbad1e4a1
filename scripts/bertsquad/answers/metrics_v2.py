"""Exact match and F1 of SQuAD 2.0, equal to evaluate-v2.0.py, and the threshold that is best for
them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertsquad.answers import metrics
from bertsquad.answers.metrics import Scores, normalize_answer, normalized_f1, questions
from bertsquad.console.errors import UserError

VERSION = "v2.0"  # of SQuAD 2.0's own files
NOT_SCORED = "no question of the dataset has an answer"  # and none says that it has none
NA_PROB_THRESHOLD = 1.0  # evaluate-v2.0.py's default of --na-prob-thresh

Scorer = Callable[[Any, Any], Scores]


@dataclass(frozen=True, slots=True)
class ScoresV2(Scores):
    """How each question of a dataset with unanswerable questions was answered."""

    has_answer: np.ndarray  # [Q], bool
    official: dict[str, float]  # what evaluate-v2.0.py prints, in its order; scores in percent

    def totals(self) -> dict[str, float]:
        """`{"exact_match": percent, "f1": percent}`, evaluate-v2.0.py's `exact` and `f1`."""
        return {"exact_match": self.official["exact"], "f1": self.official["f1"]}


def is_version_2(dataset: Any) -> bool:
    """Whether a parsed SQuAD JSON is to be scored as 2.0: it says so, or some question is
    unanswerable."""
    if isinstance(dataset, dict) and dataset.get("version") == VERSION:
        return True
    return any(question.get("is_impossible") is True for question in questions(dataset))


def is_labelled(dataset: Any) -> bool:
    """Whether any question of a parsed SQuAD JSON has an answer or says that it has none: without,
    nothing can be scored."""
    return any(
        question.get("answers") or question.get("is_impossible") is True
        for question in questions(dataset)
    )


def scorer(dataset: Any, *, version_2_with_negative: bool = False) -> Scorer:
    """What scores this dataset: as SQuAD 2.0 where that is asked for or `is_version_2`."""
    return score if version_2_with_negative or is_version_2(dataset) else metrics.score


def golds_of(question: dict[str, Any]) -> list[str]:
    """The texts of a question's gold answers, perhaps none."""
    return metrics.gold_answers(question) if question.get("answers") else []


def score(
    dataset: Any,
    predictions: Any,
    na_probs: Any = None,
    na_prob_threshold: float = NA_PROB_THRESHOLD,
) -> ScoresV2:
    """Score predictions against a dataset as evaluate-v2.0.py does.

    Args:
        dataset: the parsed SQuAD JSON; a question without answers is unanswerable.
        predictions: the parsed predictions.json, question id to answer text, "" for no answer.
        na_probs: the parsed null_odds.json, question id to a number that grows with how
            unanswerable the question looks. Where it is above `na_prob_threshold` the question
            counts as answered by "". With it the best thresholds are found.

    The only right answer to an unanswerable question is one that normalizes to nothing. A question
    without a prediction scores 0 and counts, where the official script ends with a traceback.

    Raises:
        UserError: no questions, an id that is there twice, a prediction that is not text, a number
            missing for a question that has a prediction.
    """
    found = _raw_scores(dataset, predictions)
    if not found.ids:
        raise UserError("dataset: no questions, so there is nothing to score")
    exact, f1 = found.exact, found.f1
    if na_probs is not None:
        _check_numbers(na_probs, predictions, found.ids)
        exact, f1 = (
            {
                id_: (
                    float(not found.has_answer[id_])
                    if id_ in predictions and na_probs[id_] > na_prob_threshold
                    else value
                )
                for id_, value in scores.items()
            }
            for scores in (exact, f1)
        )
    answerable = [id_ for id_ in found.ids if found.has_answer[id_]]
    unanswerable = [id_ for id_ in found.ids if not found.has_answer[id_]]
    official = _means(exact, f1, found.ids)
    for prefix, ids in (("HasAns", answerable), ("NoAns", unanswerable)):
        if ids:
            means = _means(exact, f1, ids)
            official |= {f"{prefix}_{name}": value for name, value in means.items()}
    if na_probs is not None:
        for name, scores in (("exact", found.exact), ("f1", found.f1)):
            best, threshold = _best_threshold(scores, predictions, na_probs, found.has_answer)
            official |= {f"best_{name}": best, f"best_{name}_thresh": threshold}
    return ScoresV2(
        found.ids,
        np.array(list(exact.values()), np.float64),
        np.array(list(f1.values()), np.float64),
        [id_ for id_ in found.ids if id_ not in predictions],
        np.array(list(found.has_answer.values()), np.bool_),
        official,
    )


@dataclass(frozen=True, slots=True)
class _Raw:
    """Scores by question id before any threshold, in dataset order. They stay Python's own numbers,
    whole ones where the official script has whole ones: its sums depend on that."""

    ids: list[str]
    has_answer: dict[str, bool]
    exact: dict[str, float]
    f1: dict[str, float]


def _raw_scores(dataset: Any, predictions: Any) -> _Raw:
    """Every question scored by its prediction; 0 without one."""
    if not isinstance(predictions, dict):
        raise UserError("predictions: expected an object of question ids and answer texts")
    found = _Raw([], {}, {}, {})
    for question in questions(dataset):
        id_ = question["id"]
        if id_ in found.has_answer:
            raise UserError(f"dataset: question {id_} is there twice; expected every id once")
        found.ids.append(id_)
        golds = golds_of(question)
        found.has_answer[id_] = bool(golds)
        if id_ not in predictions:
            found.exact[id_] = found.f1[id_] = 0
            continue
        prediction = predictions[id_]
        if not isinstance(prediction, str):
            raise UserError(f"question {id_}: its prediction is {prediction!r:.80}; expected text")
        predicted = normalize_answer(prediction)
        references = [text for text in map(normalize_answer, golds) if text] or [""]
        found.exact[id_] = int(predicted in references)
        found.f1[id_] = max(_overlap(predicted, reference) for reference in references)
    return found


def _overlap(prediction: str, gold: str) -> float:
    """F1 of two normalized answers; where one is empty, whether the other is, too."""
    if not prediction or not gold:
        return int(prediction == gold)
    return normalized_f1(prediction, gold)


def _check_numbers(na_probs: Any, predictions: Mapping[str, str], ids: Iterable[str]) -> None:
    """`UserError` unless every question with a prediction has a number."""
    if not isinstance(na_probs, dict):
        raise UserError("null odds: expected an object of question ids and numbers")
    for id_, value in na_probs.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UserError(f"null odds of question {id_}: {value!r:.80}; expected a number")
    missing = [id_ for id_ in ids if id_ in predictions and id_ not in na_probs]
    if missing:
        raise UserError(
            f"null odds: no number for {len(missing)} of the questions, the first is {missing[0]}; "
            "expected one for each that is predicted"
        )


def _means(exact: dict[str, float], f1: dict[str, float], ids: list[str]) -> dict[str, float]:
    """Means in percent of these questions. `sum` as the script calls it, which from Python 3.12 on
    rounds less: equal to the script run by the same Python."""
    return {
        "exact": 100.0 * sum(exact[id_] for id_ in ids) / len(ids),
        "f1": 100.0 * sum(f1[id_] for id_ in ids) / len(ids),
        "total": len(ids),
    }


def _best_threshold(
    scores: dict[str, float],
    predictions: Mapping[str, str],
    na_probs: Mapping[str, float],
    has_answer: Mapping[str, bool],
) -> tuple[float, float]:
    """The highest mean score in percent that any threshold on `na_probs` gives, and the lowest such
    threshold.

    Starts where every question is answered by "", and lets one after another keep its prediction,
    the least unanswerable first; equals in the file's order, each a threshold of its own as in
    evaluate-v2.0.py.
    """
    current: float = sum(
        not has_answer[id_] and id_ in predictions for id_ in scores
    )  # all the predicted ones that are unanswerable
    best, threshold = current, 0.0
    for id_ in sorted(na_probs, key=na_probs.__getitem__):
        if id_ not in scores or id_ not in predictions:
            continue
        if has_answer[id_]:
            current += scores[id_]
        elif predictions[id_]:
            current -= 1
        if current > best:
            best, threshold = current, na_probs[id_]
    return 100.0 * best / len(scores), threshold
