"""A second implementation of what evaluate-v1.1.py does, for tests where it was not downloaded.

Written from the behaviour that SQuAD documents, letter by letter where ours uses patterns: lower
case, without ASCII punctuation, without the words a, an and the, white space collapsed; F1 of bags
of words; the best over the gold answers; percentages of all questions; a line for each unanswered.
"""

import sys
from itertools import groupby

PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def words(answer: str) -> list[str]:
    """The words that count."""
    letters = [letter for letter in answer.lower() if letter not in PUNCTUATION]
    pieces = []
    for of_a_word, group in groupby(letters, key=str.isalnum):
        piece = "".join(group)
        pieces.append(" " if of_a_word and piece in ("a", "an", "the") else piece)
    return "".join(pieces).split()


def word_overlap(answer: str, gold: str) -> float:
    """F1 of two bags of words, in the order of float operations that the script has."""
    said, left = words(answer), words(gold)
    expected = len(left)
    common = 0
    for word in said:
        if word in left:
            left.remove(word)
            common += 1
    if not common:
        return 0
    precision, recall = common / len(said), common / expected
    return 2 * precision * recall / (precision + recall)


def evaluate(articles: list, predictions: dict[str, str]) -> dict[str, float]:
    """Exact match and F1 in percent of the questions of all articles."""
    questions = [
        question
        for article in articles
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]
    matches, overlap = 0, 0
    for question in questions:
        if question["id"] not in predictions:
            sys.stderr.write(f"Unanswered question {question['id']} will receive score 0.\n")
            continue
        answer = predictions[question["id"]]
        golds = [gold["text"] for gold in question["answers"]]
        matches += any(words(answer) == words(gold) for gold in golds)
        overlap += max(word_overlap(answer, gold) for gold in golds)
    return {
        "exact_match": 100.0 * matches / len(questions),
        "f1": 100.0 * overlap / len(questions),
    }
