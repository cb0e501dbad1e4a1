"""Kinds of entries of the made-up encyclopaedia: facts, sentences that state them, questions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bertsquad.demo.world import read_world

FILES = ("places.yaml", "works.yaml", "sights.yaml")


@dataclass(frozen=True, slots=True)
class After:
    """A year that follows the year of another fact by `least` to `most` years."""

    fact: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entry, such as a town.

    Placeholders of templates are `{name}`; `{Subject}`, `{subject}`, `{Its}`, `{its}` (the name or
    another reference to the entry); a fact, such as `{founded}`; and `{another_CLASS}`, a value of
    that class that no question asks for.
    """

    noun: str
    name_class: str  # class of the entries' names, see values.py
    facts: Mapping[str, str | After]  # fact -> class of its value; `After` follows its fact
    opening: tuple[str, ...]  # alternatives of the first sentence
    statements: tuple[tuple[str, ...], ...]  # per statement, alternatives of its sentence
    questions: Mapping[str, tuple[str, ...]]  # fact -> alternatives of its question
    written: str = "{name}"  # the name as the sentences write it: `the {name}`, `“{name}”`
    by_surname: bool = False  # refer to it by surname (people), not by `it` and the noun


def read_kinds() -> tuple[Kind, ...]:
    """All kinds, in the order of the files; another order gives other data for the same seed."""
    return tuple(kind_of(entry) for name in FILES for entry in read_world(name))


def kind_of(entry: dict[str, Any]) -> Kind:
    """The kind that an entry of world/ describes, its lists as tuples."""
    parts = {
        "facts": {fact: value_class(value) for fact, value in entry["facts"].items()},
        "opening": tuple(entry["opening"]),
        "statements": tuple(map(tuple, entry["statements"])),
        "questions": {fact: tuple(texts) for fact, texts in entry["questions"].items()},
    }
    return Kind(**(entry | parts))


def value_class(value: str | dict[str, Any]) -> str | After:
    """The class of a fact's value; `{after: founded, least: 20, most: 130}` is an `After`."""
    if isinstance(value, str):
        return value
    return After(value["after"], value["least"], value["most"])
