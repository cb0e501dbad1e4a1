"""What evaluate-v1.1.py does, built again from its documented behaviour, for machines without it.

Source: the SQuAD paper (Rajpurkar et al. 2016, 6.1) and the script's published results: answers are
lower-cased, lose ASCII punctuation, then the words a, an, the, then spare white space. Exact match
is equality, F1 that of the bags of words, each the best over the gold answers; means over all
questions, in percent. A question without a prediction scores 0 and is named on stderr. It shares no
code with the library, so that both would have to be wrong in the same way.
"""

import re
import string
import sys
from collections.abc import Callable
from typing import Any


def plain(answer: str) -> str:
    kept = "".join(character for character in answer.lower() if character not in string.punctuation)
    without = re.sub(r"\b(the|an|a)\b", " ", kept)
    return " ".join(without.split())


def equal(prediction: str, gold: str) -> float:
    return 1.0 if plain(prediction) == plain(gold) else 0.0


def overlap(prediction: str, gold: str) -> float:
    mine, theirs = plain(prediction).split(), plain(gold).split()
    left = list(theirs)
    shared = 0
    for word in mine:
        if word in left:
            left.remove(word)
            shared += 1
    if not shared:
        return 0
    precision, recall = 1.0 * shared / len(mine), 1.0 * shared / len(theirs)
    return (2 * precision * recall) / (precision + recall)


def best(measure: Callable[[str, str], float], prediction: str, answers: list[Any]) -> float:
    return max(measure(prediction, answer["text"]) for answer in answers)


def evaluate(articles: list[Any], predictions: dict[str, str]) -> dict[str, float]:
    """exact_match and f1 of a dataset's articles, in percent."""
    questions, matches, overlaps = 0, 0.0, 0.0
    for article in articles:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                questions += 1
                if question["id"] not in predictions:
                    print(
                        f"Unanswered question {question['id']} will receive score 0.",
                        file=sys.stderr,
                    )
                    continue
                prediction = predictions[question["id"]]
                matches += best(equal, prediction, question["answers"])
                overlaps += best(overlap, prediction, question["answers"])
    return {"exact_match": 100.0 * matches / questions, "f1": 100.0 * overlaps / questions}
