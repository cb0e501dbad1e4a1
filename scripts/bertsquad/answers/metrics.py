"""Exact match and F1 of SQuAD 1.1, equal to evaluate-v1.1.py; two systems compared."""

import re
import string
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertsquad.answers.intervals import BOOTSTRAP_SAMPLES, Interval, of_articles, of_difference
from bertsquad.console.errors import UserError

_EXPECTED_VERSION = "1.1"

_PUNCTUATION = str.maketrans("", "", string.punctuation)  # ASCII only: “ and – stay
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


@dataclass(frozen=True, slots=True)
class Scores:
    """How each question of a dataset was answered, in dataset order; Q questions."""

    ids: list[str]  # [Q]
    exact_match: np.ndarray  # [Q], float64, 0 or 1
    f1: np.ndarray  # [Q], float64, 0 to 1
    unanswered: list[str]  # ids without a prediction; they scored 0

    def totals(self) -> dict[str, float]:
        """`{"exact_match": percent, "f1": percent}`, what evaluate-v1.1.py prints.

        Added up one by one in dataset order, since a float sum depends on its order.
        """
        questions = len(self.ids)
        return {
            "exact_match": 100.0 * sum(self.exact_match.tolist()) / questions,
            "f1": 100.0 * _sum_in_order(self.f1) / questions,
        }


def score(dataset: Any, predictions: Any) -> Scores:
    """Score predictions against a dataset as evaluate-v1.1.py does.

    Args:
        dataset: the parsed SQuAD JSON, `{"version", "data": [{"paragraphs": [{"qas": ...}]}]}`.
        predictions: the parsed predictions.json, question id to answer text.

    A question without a prediction scores 0 and counts; a prediction for no question is ignored.
    Exact match and F1 are each the best over the gold answers, so not always of the same one.

    Raises:
        UserError: where the official script fails with a traceback: no questions, a question
            without answers, a prediction that is not text, fields missing.
    """
    if not isinstance(predictions, dict):
        raise UserError("predictions: expected an object of question ids and answer texts")
    ids, exact, overlap, unanswered = [], [], [], []
    normalized: dict[str, str] = {}  # most gold answers come three times
    for question in questions(dataset):
        question_id = question["id"]
        ids.append(question_id)
        if question_id not in predictions:
            unanswered.append(question_id)
            exact.append(0.0)
            overlap.append(0.0)
            continue
        prediction = predictions[question_id]
        if not isinstance(prediction, str):
            raise UserError(
                f"question {question_id}: its prediction is {prediction!r:.80}; expected text"
            )
        predicted = normalize_answer(prediction)
        references = []
        for gold in dict.fromkeys(gold_answers(question)):
            if gold not in normalized:
                normalized[gold] = normalize_answer(gold)
            references.append(normalized[gold])
        exact.append(float(predicted in references))
        overlap.append(max(normalized_f1(predicted, reference) for reference in references))
    if not ids:
        raise UserError("dataset: no questions, so there is nothing to score")
    return Scores(ids, np.array(exact), np.array(overlap, np.float64), unanswered)


def questions(dataset: Any) -> Iterator[dict[str, Any]]:
    """Every question of a parsed SQuAD JSON, in file order.

    Looks only at what evaluate-v1.1.py reads, so that whatever it scores can be scored here. An id
    that is a whole number is given as its digits, as predictions.json holds it. (The official
    script finds no prediction for such an id.)
    """
    last = None
    try:
        for article in dataset["data"]:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    if type(question["id"]) is int:
                        question = question | {"id": str(question["id"])}
                    if not isinstance(question["id"], str):
                        raise TypeError
                    last = question["id"]
                    yield question
    except (KeyError, TypeError, IndexError):
        place = f"after question {last}" if last else "at its beginning"
        raise UserError(
            f"dataset: not SQuAD JSON {place}; expected data, paragraphs, qas and id, "
            "nested as in dev-v1.1.json"
        ) from None


def article_numbers(dataset: Any) -> np.ndarray:
    """Which article each question is of, int64[Q], in file order."""
    counts = [sum(len(p["qas"]) for p in article["paragraphs"]) for article in dataset["data"]]
    return np.repeat(np.arange(len(counts)), counts)


def gold_answers(question: dict[str, Any]) -> list[str]:
    """The texts of a question's gold answers; at least one."""
    try:
        golds = [answer["text"] for answer in question["answers"]]
    except (KeyError, TypeError, IndexError):
        golds = []
    if not golds or not all(isinstance(gold, str) for gold in golds):
        raise UserError(
            f"question {question['id']}: no gold answers as a list of objects with a text, "
            "so it cannot be scored"
        )
    return golds


def version_note(dataset: Any) -> str | None:
    """The warning of evaluate-v1.1.py about a dataset of another version, or None."""
    version = dataset.get("version") if isinstance(dataset, dict) else None
    if version == _EXPECTED_VERSION:
        return None
    if version is None:
        return (
            f"the dataset names no version; evaluate-v1.1.py expects {_EXPECTED_VERSION!r}, and "
            "scores it all the same"
        )
    return f"Evaluation expects v-{_EXPECTED_VERSION}, but got dataset with v-{version}"


def normalize_answer(text: str) -> str:
    """Lower-cased, without ASCII punctuation (so "A-b." is "ab"), articles and spare whitespace."""
    text = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", text).split())


def exact_match(prediction: str, gold: str) -> bool:
    """Whether the two are equal once normalized; two that normalize to nothing are."""
    return normalize_answer(prediction) == normalize_answer(gold)


def f1(prediction: str, gold: str) -> float:
    """Harmonic mean of precision and recall over the bags of normalized words, 0 to 1.

    Two answers that normalize to nothing share no word, so theirs is 0 beside an exact match of 1.
    """
    return normalized_f1(normalize_answer(prediction), normalize_answer(gold))


def normalized_f1(prediction: str, gold: str) -> float:
    """`f1` of two normalized answers, by the official script's float operations in their order."""
    if prediction == gold:  # then precision, recall and F1 are exactly 1
        return 1.0 if prediction else 0.0
    predicted, expected = prediction.split(), gold.split()
    shared = (Counter(predicted) & Counter(expected)).total()
    if shared == 0:
        return 0.0
    precision = shared / len(predicted)
    recall = shared / len(expected)
    return (2 * precision * recall) / (precision + recall)


def _sum_in_order(values: np.ndarray) -> float:
    """The sum from left to right. (Python 3.12's `sum` compensates, numpy's adds in pairs.)"""
    return float(np.add.accumulate(values)[-1])


@dataclass(frozen=True, slots=True)
class Comparison:
    """A second set of predictions beside a first, question by question, in percentage points."""

    exact_match_difference: float  # second minus first
    f1_difference: float
    exact_match_interval: Interval
    f1_interval: Interval
    exact_match_sign_test: float  # p of the exact test that the two are alike
    f1_sign_test: float
    f1_interval_articles: Interval | None  # for other articles
    first: Scores
    second: Scores
    changed_answers: int  # the text differs, even where the score does not
    changes: dict[str, int]  # id of a changed answer -> sign of its change in F1: -1, 0 or 1

    @property
    def better(self) -> int:
        """Changed answers whose F1 rose."""
        return sum(sign > 0 for sign in self.changes.values())

    @property
    def worse(self) -> int:
        """Changed answers whose F1 fell."""
        return sum(sign < 0 for sign in self.changes.values())


def compare(
    dataset: Any,
    first: Mapping[str, str],
    second: Mapping[str, str],
    *,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = 0,
    scored: Callable[[Any, Any], Scores] = score,
) -> Comparison:
    """Paired comparison of two sets of predictions for one dataset, by this scoring.

    Both are scored on the same resampled questions, so what makes a question hard cancels out and
    the interval of the difference is far narrower than the two scores' own intervals suggest. It is
    that of `intervals.of_difference`.
    """
    before, after = scored(dataset, first), scored(dataset, second)
    exact_match_change = after.exact_match - before.exact_match
    f1_change = after.f1 - before.f1
    match_interval, match_p = of_difference(exact_match_change, samples=samples, seed=seed)
    f1_interval, f1_p = of_difference(f1_change, samples=samples, seed=seed)
    others = of_articles(
        [f1_change],
        article_numbers(dataset),
        [f1_interval],
        lowest=-100.0,
        samples=samples,
        seed=seed,
    )
    signs = dict(zip(after.ids, np.sign(f1_change).astype(int).tolist(), strict=True))
    changes = {id_: sign for id_, sign in signs.items() if first.get(id_) != second.get(id_)}
    return Comparison(
        exact_match_difference=after.totals()["exact_match"] - before.totals()["exact_match"],
        f1_difference=after.totals()["f1"] - before.totals()["f1"],
        exact_match_interval=match_interval,
        f1_interval=f1_interval,
        exact_match_sign_test=match_p,
        f1_sign_test=f1_p,
        f1_interval_articles=others[0] if others else None,
        first=before,
        second=after,
        changed_answers=len(changes),
        changes=changes,
    )
