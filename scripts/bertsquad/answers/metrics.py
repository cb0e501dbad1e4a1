"""Exact match and F1 of SQuAD 1.1, equal to evaluate-v1.1.py, and how sure one can be of them."""

import re
import string
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bertsquad.console.errors import UserError

_EXPECTED_VERSION = "1.1"
CONFIDENCE = 0.95  # of every interval here
BOOTSTRAP_SAMPLES = 1000
_ROWS_PER_DRAW = 64  # resamples drawn at once: 5 MiB of indices for SQuAD dev, inside the cache

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
        overlap.append(max(_normalized_f1(predicted, reference) for reference in references))
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
    return _normalized_f1(normalize_answer(prediction), normalize_answer(gold))


def _normalized_f1(prediction: str, gold: str) -> float:
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
class Intervals:
    """Bootstrap confidence intervals in percent, `(low, high)`."""

    exact_match: tuple[float, float]
    f1: tuple[float, float]


def bootstrap(
    exact_match: np.ndarray,
    f1: np.ndarray,
    *,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> Intervals:
    """Percentile bootstrap over questions (Efron 1979) of two means taken on the same resamples.

    Args:
        exact_match, f1: [Q] values per question, or differences of two systems' values.

    The interval is how far the mean would move on other questions like these. It holds the model
    fixed, and takes questions as independent although those of one passage resemble each other.
    """
    values = np.stack([exact_match, f1]).astype(np.float64)  # [2, Q]
    questions = values.shape[1]
    generator = np.random.default_rng(seed)
    means = np.empty((2, samples))
    for first in range(0, samples, _ROWS_PER_DRAW):
        rows = min(_ROWS_PER_DRAW, samples - first)
        drawn = generator.integers(questions, size=(rows, questions), dtype=np.int64)
        for mean, value in zip(means, values, strict=True):
            mean[first : first + rows] = value[drawn].mean(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(100.0 * means, [tail, 1 - tail], axis=1)
    return Intervals((float(low[0]), float(high[0])), (float(low[1]), float(high[1])))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A second set of predictions beside a first, question by question, in percentage points."""

    exact_match_difference: float  # second minus first
    f1_difference: float
    exact_match_interval: tuple[float, float]
    f1_interval: tuple[float, float]
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
) -> Comparison:
    """Paired comparison of two sets of predictions for one dataset.

    Both are scored on the same resampled questions, so what makes a question hard cancels out and
    the interval of the difference is far narrower than the two scores' own intervals suggest.
    """
    before, after = score(dataset, first), score(dataset, second)
    exact_match_change = after.exact_match - before.exact_match
    f1_change = after.f1 - before.f1
    intervals = bootstrap(exact_match_change, f1_change, samples=samples, seed=seed)
    signs = dict(zip(after.ids, np.sign(f1_change).astype(int).tolist(), strict=True))
    changes = {id_: sign for id_, sign in signs.items() if first.get(id_) != second.get(id_)}
    return Comparison(
        exact_match_difference=after.totals()["exact_match"] - before.totals()["exact_match"],
        f1_difference=after.totals()["f1"] - before.totals()["f1"],
        exact_match_interval=intervals.exact_match,
        f1_interval=intervals.f1,
        first=before,
        second=after,
        changed_answers=len(changes),
        changes=changes,
    )
