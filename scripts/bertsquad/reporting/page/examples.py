"""A few questions with the answer that was expected and the one that was predicted."""

from collections.abc import Mapping
from dataclasses import dataclass

from bertsquad.answers.metrics import exact_match, f1, normalize_answer
from bertsquad.data.squad import Answer, Dataset, Question

CONTEXT = 140  # characters of the passage shown on each side of the answer


@dataclass(frozen=True, slots=True)
class Example:
    """One question. `before`, `marked`, `after` are the passage around the first gold answer."""

    title: str
    question: str
    gold: tuple[str, ...]  # distinct; none where the right answer is that there is none
    prediction: str
    right: bool  # exact match with one of the gold answers
    overlap: float  # F1 with the best of them, 0 to 1
    before: str
    marked: str
    after: str


def choose(dataset: Dataset, predictions: Mapping[str, str], count: int = 6) -> list[Example]:
    """`count` examples, half of them wrong where there are so many, spread evenly over the dataset.

    The same input gives the same choice; nothing is picked for its looks.
    """
    answered = [
        example(paragraph.title, paragraph.context, question, predictions[question.id])
        for paragraph in dataset.paragraphs
        for question in paragraph.questions
        if question.id in predictions and (question.answers or question.is_impossible)
    ]
    right = [number for number, each in enumerate(answered) if each.right]
    wrong = [number for number, each in enumerate(answered) if not each.right]
    few = min(len(wrong), count // 2)
    chosen = evenly(right, count - few)
    chosen += evenly(wrong, count - len(chosen))
    return [answered[number] for number in sorted(chosen)]


def example(title: str, context: str, question: Question, prediction: str) -> Example:
    """One question, scored as evaluate-v1.1.py scores it; one without an answer, of which the
    passage's beginning is shown, as evaluate-v2.0.py does."""
    if not question.answers:
        right = not normalize_answer(prediction)
        around_nothing = around(context, Answer("", 0))
        shown = (title.replace("_", " "), question.text, (), prediction)
        return Example(*shown, right, float(right), *around_nothing)
    gold = tuple(dict.fromkeys(answer.text for answer in question.answers))
    before, marked, after = around(context, question.answers[0])
    return Example(
        title=title.replace("_", " "),
        question=question.text,
        gold=gold,
        prediction=prediction,
        right=any(exact_match(prediction, text) for text in gold),
        overlap=max(f1(prediction, text) for text in gold),
        before=before,
        marked=marked,
        after=after,
    )


def around(context: str, answer: Answer) -> tuple[str, str, str]:
    """The passage near an answer, cut at spaces, with dots where it was cut.

    An answer without an offset is where its text is first found, or nowhere: then it is the
    passage's beginning that is shown, with nothing marked.
    """
    start, length = answer.start, len(answer.text)
    if start < 0:
        start = context.find(answer.text)
        start, length = (start, length) if start >= 0 else (0, 0)
    before, marked, after = (
        context[:start],
        context[start : start + length],
        context[start + length :],
    )
    if len(before) > CONTEXT:
        before = "… " + before[-CONTEXT:].partition(" ")[2]
    if len(after) > CONTEXT:
        after = after[:CONTEXT].rpartition(" ")[0] + " …"
    return before, marked, after


def evenly(numbers: list[int], count: int) -> list[int]:
    """`count` of the numbers (or all), spread over the list."""
    if count >= len(numbers):
        return list(numbers)
    return [numbers[(2 * place + 1) * len(numbers) // (2 * count)] for place in range(count)]
