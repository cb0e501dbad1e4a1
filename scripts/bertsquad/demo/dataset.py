"""A small reading-comprehension set in SQuAD 1.1's format, about a made-up world."""

import random
import re
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from bertsquad.demo.kinds import After, Kind, read_kinds
from bertsquad.demo.values import MEASURES, between, chance, draw, pick, shuffled

KINDS = read_kinds()
STATEMENTS = (3, 4)  # fewest and most statements of an entry after its opening
LONG_STATEMENTS = 7  # most statements of an entry in a long passage
LONG_SHARE = 0.03  # share of passages of two long entries, longer than one window of the demo
RIVALS_SHARE = 0.15  # share of entries with several facts of the same class (two years, two people)
# Placeholders for the entry itself.
REFERENCES = frozenset({"name", "Subject", "subject", "Its", "its"})
# Words that annotators may add to an answer or leave out: `the Aldra`, `River Aldra`, `Aldra`.
LEADING = re.compile(r"\b(?:[Tt]he|[Aa]bout|up to|River|the River|Captain|wild|old|rare) $")
UNITS = re.compile(r" (?:kilometres|metres|grams|tonnes)$")


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact in a passage: where its value is, and how to ask for it."""

    kind: str  # noun of its kind: `town`
    fact: str  # `founded`
    start: int  # code points from the start of the passage
    text: str  # the value as it is written
    questions: tuple[str, ...]  # alternatives


@dataclass(slots=True)
class Passage:
    """A passage while it is written: its text so far, and the facts in it."""

    title: str
    text: str = ""
    stated: list[Statement] = field(default_factory=list)


def make_dataset(seed: int, split: str, paragraphs: int) -> dict[str, Any]:
    """SQuAD 1.1 JSON of `paragraphs` passages for the split `train` or `dev`.

    A train question has one answer; a dev question has up to three, like those of several
    annotators. Names of entries and in answers are compositions that the other split never uses, so
    no passage is in both.
    """
    rng = random.Random(f"{seed} {split}")
    dev = split == "dev"
    articles = []
    for number in range(paragraphs):
        passage = make_passage(rng, dev)
        articles.append(
            {
                "title": passage.title.replace(" ", "_"),
                "paragraphs": [
                    {
                        "context": passage.text,
                        "qas": [
                            make_question(rng, dev, f"{split}-{number:05d}", passage, statement)
                            for statement in choose_facts(rng, passage.stated)
                        ],
                    }
                ],
            }
        )
    return {"version": "1.1", "data": articles}


def choose_facts(rng: random.Random, stated: list[Statement]) -> list[Statement]:
    """Three to five facts of a passage, which become its questions."""
    return shuffled(rng, stated)[: between(rng, 3, 5)]


def make_passage(rng: random.Random, dev: bool) -> Passage:
    """A passage of one entry, or of two long ones."""
    kind = pick(rng, KINDS)
    name = draw(kind.name_class, rng, dev)
    passage = Passage(title=name)
    if chance(rng, LONG_SHARE):
        write_entry(rng, dev, passage, kind, name, statements=LONG_STATEMENTS)
        other = pick(rng, [other for other in KINDS if other is not kind])
        other_name = draw(other.name_class, rng, dev)
        write_entry(rng, dev, passage, other, other_name, statements=LONG_STATEMENTS)
    else:
        write_entry(rng, dev, passage, kind, name, statements=between(rng, *STATEMENTS))
    return passage


def write_entry(
    rng: random.Random, dev: bool, passage: Passage, kind: Kind, name: str, statements: int
) -> None:
    """Append an entry to the passage: its opening, then some statements in any order."""
    values = draw_facts(rng, dev, kind)
    questions = {
        fact: tuple(question.replace("{name}", name) for question in alternatives)
        for fact, alternatives in kind.questions.items()
    }
    body = choose_statements(rng, kind, statements, rivals=chance(rng, RIVALS_SHARE))
    for alternatives in (kind.opening, *body):
        if passage.text:
            passage.text += " "
        write_sentence(rng, dev, passage, kind, name, values, questions, pick(rng, alternatives))


def choose_statements(
    rng: random.Random, kind: Kind, number: int, *, rivals: bool
) -> list[tuple[str, ...]]:
    """Up to `number` statements that repeat no fact of each other or of the opening.

    Without `rivals`, no two of their facts have values of the same class (two years, two people),
    and none has the class of the entry's own name.
    """
    taken = stated_facts(kind.opening)
    classes = {kind.name_class, *(class_of(kind, fact) for fact in taken)}
    statements = []
    for alternatives in shuffled(rng, kind.statements):
        facts = stated_facts(alternatives)
        new = [class_of(kind, fact) for fact in facts]
        if taken.intersection(facts):
            continue
        if not rivals and len(classes.union(new)) < len(classes) + len(new):
            continue
        taken.update(facts)
        classes.update(new)
        statements.append(alternatives)
    return statements[:number]


def stated_facts(alternatives: tuple[str, ...]) -> set[str]:
    """The facts in a sentence; all its alternatives state the same."""
    return {
        placeholder
        for _, placeholder, _, _ in Formatter().parse(alternatives[0])
        if placeholder and placeholder not in REFERENCES and not placeholder.startswith("another_")
    }


def class_of(kind: Kind, fact: str) -> str:
    """The class of values that a reader could confuse: dates with years, metres with tonnes."""
    value_class = kind.facts[fact]
    if isinstance(value_class, After) or value_class == "date":
        return "year"
    return "measure" if value_class in MEASURES else value_class


def draw_facts(rng: random.Random, dev: bool, kind: Kind) -> dict[str, str]:
    """A value for every fact of an entry, all different."""
    values: dict[str, str] = {}
    for fact, value_class in kind.facts.items():
        if isinstance(value_class, After):
            year = int(values[value_class.fact].rpartition(" ")[2])
            values[fact] = str(year + between(rng, value_class.least, value_class.most))
            continue
        value = draw(value_class, rng, dev)
        while value in values.values():
            value = draw(value_class, rng, dev)
        values[fact] = value
    return values


def write_sentence(
    rng: random.Random,
    dev: bool,
    passage: Passage,
    kind: Kind,
    name: str,
    values: dict[str, str],
    questions: dict[str, tuple[str, ...]],
    template: str,
) -> None:
    """Append a sentence to the passage, with its values filled in and recorded as statements."""
    sentence = ""
    start = len(passage.text)
    for literal, placeholder, _, _ in Formatter().parse(template):
        sentence += literal
        if placeholder is None:
            continue
        if placeholder in values:
            value = values[placeholder]
        elif placeholder.startswith("another_"):
            value = draw(placeholder.removeprefix("another_"), rng, dev)
        else:
            value = refer(rng, kind, name, placeholder)
        if sentence.endswith((" a", " a ")) and value[0] in "aeiou":
            sentence = sentence.rstrip() + "n "
        if not sentence:
            value = value[0].upper() + value[1:]
        if placeholder in values:
            passage.stated.append(
                Statement(
                    kind.noun, placeholder, start + len(sentence), value, questions[placeholder]
                )
            )
        sentence += value
    passage.text += sentence


def refer(rng: random.Random, kind: Kind, name: str, placeholder: str) -> str:
    """The entry's name, pronoun, noun or surname; `Its`, `Subject` begin with a capital letter."""
    if placeholder == "name":
        return name
    written = kind.written.replace("{name}", name)
    possessive = placeholder.lower() == "its"
    if kind.by_surname:
        reference = pick(rng, (name, name.split()[-1]))
        reference += "'s" if possessive else ""
    elif possessive:
        reference = pick(rng, ("its", f"the {kind.noun}'s", f"{written}'s"))
    else:
        reference = pick(rng, ("it", f"the {kind.noun}", written))
    return reference[0].upper() + reference[1:] if placeholder[0].isupper() else reference


def make_question(
    rng: random.Random, dev: bool, prefix: str, passage: Passage, statement: Statement
) -> dict[str, Any]:
    """A question of SQuAD 1.1 JSON about a fact of the passage."""
    answers = [(statement.text, statement.start)]
    if dev:
        answers += other_answers(passage.text, statement)
    return {
        "id": f"{prefix}-{statement.kind}-{statement.fact}",
        "question": pick(rng, statement.questions),
        "answers": [{"text": text, "answer_start": start} for text, start in answers],
    }


def other_answers(context: str, statement: Statement) -> list[tuple[str, int]]:
    """Answers of annotators who add a word (`the Aldra`) or drop the unit (`40 metres`)."""
    answers = []
    leading = LEADING.search(context[: statement.start])
    if leading:
        answers.append((leading.group() + statement.text, statement.start - len(leading.group())))
    without_unit = UNITS.sub("", statement.text)
    if without_unit != statement.text:
        answers.append((without_unit, statement.start))
    return answers
