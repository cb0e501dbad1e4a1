"""SQuAD 1.1 and 2.0: read the JSON, check what a step needs of it, and give its paragraphs,
questions and answers. SQuAD 2.0's `plausible_answers` are answers to nothing and never read."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from bertsquad.console.errors import UserError
from bertsquad.files import read_json

# The place of a value, for messages. A function, since most places are never needed as text.
Where = Callable[[], str]


# What the questions are read for. Each needs the passages, the questions and their ids;
# "train" also one answer at most and its offset; "score" also the texts of at least one answer, or
# that there is none (`is_impossible`).
Purpose = Literal["train", "predict", "score"]


class Answer(NamedTuple):
    text: str
    # answer_start: offset of the first character in the context, in code points. -1 where it is
    # not known; never so in training.
    start: int


class Question(NamedTuple):
    id: str
    text: str
    answers: tuple[Answer, ...]  # train: none or one; predict: any number; score: at least one
    is_impossible: bool = False  # SQuAD 2.0: the passage has no answer to it


# What reads a question's answers from its entry, for a file and a place that messages name.
Answers = Callable[[Any, str, Where], tuple[tuple[Answer, ...], bool]]


@dataclass(frozen=True, slots=True)
class Paragraph:
    title: str  # of its article; empty where there is none
    context: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    version: str  # empty where the file names none
    paragraphs: tuple[Paragraph, ...]
    source: str = field(default="the dataset", compare=False)  # the file's name, for messages

    def questions(self) -> Iterator[Question]:
        """Every question, in file order."""
        for paragraph in self.paragraphs:
            yield from paragraph.questions


def load(
    path: str | os.PathLike[str],
    *,
    purpose: Purpose = "predict",
    version_2_with_negative: bool = False,
) -> Dataset:
    """Read and check a SQuAD file, as far as `purpose` needs it.

    To "train" a question may lack an answer (it is left out later) but not have several, as in
    run_squad.py. To "predict" answers are not needed: what is not an answer is left out. Version
    and titles are never needed, nor is a passage that nobody asks about. An id that is a whole
    number becomes its digits.

    `version_2_with_negative` is run_squad.py's flag and matters to "train": a question that
    `is_impossible`, or has no answer and does not say, is trained as one without an answer. Without
    the flag, the first that `is_impossible` is an error.

    Raises `UserError` that names the file and the question (or the place, where there is no id yet)
    for malformed JSON, missing keys, wrong types, duplicate ids and questions on empty contexts.
    """
    return parse(
        read_json(path),
        source=str(path),
        purpose=purpose,
        version_2_with_negative=version_2_with_negative,
    )


def parse(
    document: Any,
    *,
    source: str,
    purpose: Purpose = "predict",
    version_2_with_negative: bool = False,
) -> Dataset:
    """As `load`, for JSON that was read already; `source` is the file's name for messages."""
    answers = _answers_of(purpose, version_2_with_negative)
    paragraphs = []
    seen: dict[str, Where] = {}  # question id -> where it is
    for a, article in enumerate(_member(document, "data", list, source, _top_level)):

        def where_article(a: int = a) -> str:
            return f"data[{a}]"

        items = _member(article, "paragraphs", list, source, where_article)
        title = _text_or_empty(article.get("title"))
        for p, item in enumerate(items):

            def where(a: int = a, p: int = p) -> str:
                return f"data[{a}].paragraphs[{p}]"

            paragraphs.append(_parse_paragraph(item, title, source, where, seen, answers))
    if not seen:
        raise UserError(f"{source}: no question in the file; expected at least one")
    return Dataset(_text_or_empty(document.get("version")), tuple(paragraphs), source)


def _parse_paragraph(
    item: Any, title: str, source: str, where: Where, seen: dict[str, Where], answers: Answers
) -> Paragraph:
    context = _text_member(item, "context", source, where)
    entries = _member(item, "qas", list, source, where)
    if entries and not context.strip():
        raise UserError(f"{source}: {where()}.context is empty; expected the passage's text")
    questions = []
    for q, entry in enumerate(entries):

        def where_question(q: int = q) -> str:
            return f"{where()}.qas[{q}]"

        question = _parse_question(entry, source, where_question, answers)
        if question.id in seen:
            raise UserError(
                f"{source}: question id {question.id!r} is at {seen[question.id]()} and again at "
                f"{where_question()}; expected every id once"
            )
        seen[question.id] = where_question
        questions.append(question)
    return Paragraph(title, context, tuple(questions))


def _parse_question(entry: Any, source: str, where: Where, answers: Answers) -> Question:
    id = _id_member(entry, source, where)

    def named() -> str:
        return f"question {id!r} ({where()})"

    text = _text_member(entry, "question", source, named)
    return Question(id, text, *answers(entry, source, named))


def _answers_of(purpose: Purpose, version_2_with_negative: bool) -> Answers:
    """What reads a question's answers for this purpose."""
    if purpose == "predict":
        return _answers_at_hand
    if purpose == "score":
        return _answers_to_score
    return _answers_or_none if version_2_with_negative else _answers_to_train_on


def _answers_at_hand(entry: Any, source: str, named: Where) -> tuple[tuple[Answer, ...], bool]:
    """What is an answer in a value that nobody has to have."""
    answers = entry.get("answers")
    found = tuple(
        Answer(answer["text"], _offset_or_unknown(answer.get("answer_start")))
        for answer in (answers if isinstance(answers, list) else ())
        if isinstance(answer, dict) and _text_or_empty(answer.get("text"))
    )
    return found, entry.get("is_impossible") is True


def _answers_to_score(entry: Any, source: str, named: Where) -> tuple[tuple[Answer, ...], bool]:
    """At least one answer, of which the text is needed; none where that is said."""
    impossible = entry.get("is_impossible") is True
    if impossible and not entry.get("answers"):
        return (), True
    answers = _answers_with(_offset_at_hand, entry, source, named)
    if not answers:
        raise UserError(
            f"{source}: {named()} has no answer; expected at least one to score against, or "
            "is_impossible true, as in SQuAD 2.0"
        )
    return answers, impossible


def _answers_to_train_on(entry: Any, source: str, named: Where) -> tuple[tuple[Answer, ...], bool]:
    """One answer with its offset, or none: such a question is left out later."""
    if entry.get("is_impossible") is True:
        raise UserError(
            f"{source}: {named()} has no answer (is_impossible), as in SQuAD 2.0; to train on such "
            "questions set version_2_with_negative: true in the dataset's entry (featurize.py "
            "--version-2-with-negative)"
        )
    answers = _answers_with(_offset_member, entry, source, named)
    if len(answers) > 1:
        raise UserError(
            f"{source}: {named()} has {len(answers)} answers; training needs exactly one: "
            "is this the dev file?"
        )
    return answers, False


def _answers_or_none(entry: Any, source: str, named: Where) -> tuple[tuple[Answer, ...], bool]:
    """One answer with its offset, or that there is none."""
    said = "is_impossible" in entry
    if said and _member(entry, "is_impossible", bool, source, named):
        return (), True
    if entry.get("answers"):
        return _answers_to_train_on(entry, source, named)
    if said:
        raise UserError(
            f"{source}: {named()} has no answer, and is_impossible is false; expected one answer, "
            "or is_impossible true"
        )
    return (), True


def _answers_with(
    offset: Callable[[Any, str, str, Where], int], entry: Any, source: str, named: Where
) -> tuple[Answer, ...]:
    """Every answer, checked; its offset as this function reads it."""
    answers = []
    for n, answer in enumerate(_member(entry, "answers", list, source, named)):

        def where(n: int = n) -> str:
            return f"{named()}, answers[{n}]"

        text = _text_member(answer, "text", source, where)
        answers.append(Answer(text, offset(answer, "answer_start", source, where)))
    return tuple(answers)


def _offset_at_hand(value: Any, key: str, source: str, where: Where) -> int:
    return _offset_or_unknown(value.get(key))


def _offset_or_unknown(offset: Any) -> int:
    return offset if type(offset) is int and offset >= 0 else -1


def _text_or_empty(value: Any) -> str:
    return value if isinstance(value, str) and not _HALF_A_PAIR.search(value) else ""


def _id_member(entry: Any, source: str, where: Where) -> str:
    """A question's id: text, or a whole number, of which the digits are taken."""
    if isinstance(entry, dict) and type(entry.get("id")) is int:
        return str(entry["id"])
    id = _text_member(entry, "id", source, where)
    if not id:
        raise UserError(f"{source}: {where()}.id is empty; expected the question's id")
    return id


def _top_level() -> str:
    return "the top level"


def _member(value: Any, key: str, kind: type, source: str, where: Where) -> Any:
    """`value[key]`, which must be of this kind."""
    if not isinstance(value, dict):
        hint = _FLAT if key == "data" and isinstance(value, list) and _is_flat(value[:1]) else ""
        raise UserError(
            f"{source}: {where()} is {_name_of(value)}; expected an object with {key!r}{hint}"
        )
    if key not in value:
        hint = _FLAT if _is_flat([value]) else "; expected SQuAD 1.1's format"
        raise UserError(f"{source}: {where()} has no {key!r}{hint}")
    found = value[key]
    if type(found) is not kind:
        raise UserError(
            f"{source}: {where()}: {key!r} is {_name_of(found)}; expected {_KIND_NAMES[kind]}"
        )
    return found


def _is_flat(entries: Any) -> bool:
    """Whether these are questions that carry their own context, as dataset libraries export
    them."""
    return all(isinstance(e, dict) and "context" in e and "question" in e for e in entries or [0])


def _text_member(value: Any, key: str, source: str, where: Where) -> str:
    """A text that can be written as UTF-8: JSON's \\ud800 alone is half a character."""
    text: str = _member(value, key, str, source, where)
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UserError(
                f"{source}: {where()}: {key!r} has half a surrogate pair "
                f"(\\u{ord(text[error.start]):04x}) at character {error.start}; expected whole "
                "characters: the text was cut or badly converted"
            ) from None
    return text


def _offset_member(value: Any, key: str, source: str, where: Where) -> int:
    offset: int = _member(value, key, int, source, where)
    if offset < 0:
        raise UserError(f"{source}: {where()}: {key!r} is {offset}; expected 0 or more")
    return offset


_HALF_A_PAIR = re.compile("[\ud800-\udfff]")  # a surrogate alone

_FLAT = (
    ": these are flat questions, each with its own context; expected SQuAD's nesting, "
    'data > paragraphs > {"context", "qas": [{"id", "question", "answers"}]}'
)

_KIND_NAMES = {
    bool: "true or false",
    dict: "an object",
    float: "a number",
    int: "a whole number",
    list: "a list",
    str: "text",
    type(None): "null",
}


def _name_of(value: Any) -> str:
    return _KIND_NAMES[type(value)]


def misplaced(dataset: Dataset) -> list[str]:
    """Ids of questions with an answer that is not in the context at its `answer_start`.

    Predicting and scoring never read `answer_start`; training looks for the answer around it. An
    answer without an offset is at no wrong one.
    """
    return [
        question.id
        for paragraph in dataset.paragraphs
        for question in paragraph.questions
        if not all(
            paragraph.context.startswith(a.text, a.start) for a in question.answers if a.start >= 0
        )
    ]
