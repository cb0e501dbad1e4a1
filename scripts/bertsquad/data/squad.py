"""SQuAD 1.1: read the JSON, check it, and give its paragraphs, questions and answers."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bertsquad.console.errors import UserError
from bertsquad.files import read_json

# The place of a value, for messages. A function, since most places are never needed as text.
Where = Callable[[], str]


class Answer(NamedTuple):
    text: str
    start: int  # answer_start: offset of the first character in the context, in code points


class Question(NamedTuple):
    id: str
    text: str
    answers: tuple[Answer, ...]  # training: none or one; otherwise at least one


@dataclass(frozen=True, slots=True)
class Paragraph:
    title: str  # of its article
    context: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    version: str
    paragraphs: tuple[Paragraph, ...]
    source: str = field(default="the dataset", compare=False)  # the file's name, for messages

    def questions(self) -> Iterator[Question]:
        """Every question, in file order."""
        for paragraph in self.paragraphs:
            yield from paragraph.questions


def load(path: str | os.PathLike[str], *, training: bool = False) -> Dataset:
    """Read and check a SQuAD file.

    With `training` a question may lack an answer (it is left out later) but not have several, as in
    run_squad.py; without, every question needs an answer to be scored against.

    Raises `UserError` that names the file and the question (or the place, where there is no id yet)
    for malformed JSON, missing keys, wrong types, duplicate ids and empty contexts.
    """
    return parse(read_json(path), source=str(path), training=training)


def parse(document: Any, *, source: str, training: bool = False) -> Dataset:
    """As `load`, for JSON that was read already; `source` is the file's name for messages."""
    version = _member(document, "version", str, source, _top_level)
    paragraphs = []
    seen: dict[str, Where] = {}  # question id -> where it is
    for a, article in enumerate(_member(document, "data", list, source, _top_level)):

        def where_article(a: int = a) -> str:
            return f"data[{a}]"

        items = _member(article, "paragraphs", list, source, where_article)
        # run_squad.py does not read the title either.
        title = _text_member(article, "title", source, where_article) if "title" in article else ""
        for p, item in enumerate(items):

            def where(a: int = a, p: int = p) -> str:
                return f"data[{a}].paragraphs[{p}]"

            paragraphs.append(_parse_paragraph(item, title, source, where, seen, training))
    if not seen:
        raise UserError(f"{source}: no question in the file; expected at least one")
    return Dataset(version, tuple(paragraphs), source)


def _parse_paragraph(
    item: Any, title: str, source: str, where: Where, seen: dict[str, Where], training: bool
) -> Paragraph:
    context = _text_member(item, "context", source, where)
    if not context.strip():
        raise UserError(f"{source}: {where()}.context is empty; expected the passage's text")
    questions = []
    for q, entry in enumerate(_member(item, "qas", list, source, where)):

        def where_question(q: int = q) -> str:
            return f"{where()}.qas[{q}]"

        question = _parse_question(entry, source, where_question, training)
        if question.id in seen:
            raise UserError(
                f"{source}: question id {question.id!r} is at {seen[question.id]()} and again at "
                f"{where_question()}; expected every id once"
            )
        seen[question.id] = where_question
        questions.append(question)
    return Paragraph(title, context, tuple(questions))


def _parse_question(entry: Any, source: str, where: Where, training: bool) -> Question:
    id = _text_member(entry, "id", source, where)
    if not id:
        raise UserError(f"{source}: {where()}.id is empty; expected the question's id")

    def named() -> str:
        return f"question {id!r} ({where()})"

    text = _text_member(entry, "question", source, named)
    answers = []
    for n, answer in enumerate(_member(entry, "answers", list, source, named)):

        def where_answer(n: int = n) -> str:
            return f"{named()}, answers[{n}]"

        answers.append(_parse_answer(answer, source, where_answer))
    if training and len(answers) > 1:
        raise UserError(
            f"{source}: {named()} has {len(answers)} answers; training needs exactly one: "
            "is this the dev file?"
        )
    if not training and not answers:
        raise UserError(
            f"{source}: {named()} has no answer; expected at least one to score against "
            "(unanswerable questions, as in SQuAD 2.0, are not supported)"
        )
    return Question(id, text, tuple(answers))


def _parse_answer(answer: Any, source: str, where: Where) -> Answer:
    text = _text_member(answer, "text", source, where)
    return Answer(text, _offset_member(answer, "answer_start", source, where))


def _top_level() -> str:
    return "the top level"


def _member(value: Any, key: str, kind: type, source: str, where: Where) -> Any:
    """`value[key]`, which must be of this kind."""
    if not isinstance(value, dict):
        raise UserError(
            f"{source}: {where()} is {_name_of(value)}; expected an object with {key!r}"
        )
    if key not in value:
        raise UserError(f"{source}: {where()} has no {key!r}; expected SQuAD 1.1's format")
    found = value[key]
    if type(found) is not kind:
        raise UserError(
            f"{source}: {where()}: {key!r} is {_name_of(found)}; expected {_KIND_NAMES[kind]}"
        )
    return found


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

    Predicting and scoring never read `answer_start`; training looks for the answer around it.
    """
    return [
        question.id
        for paragraph in dataset.paragraphs
        for question in paragraph.questions
        if not all(paragraph.context.startswith(a.text, a.start) for a in question.answers)
    ]
