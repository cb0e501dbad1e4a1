"""What an entry of the made-up encyclopaedia is: facts, sentences that state them, questions."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class After:
    """A year that follows the year of another fact by `least` to `most` years."""

    fact: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entry, such as a town.

    Templates hold `{name}`; `{Subject}`, `{subject}`, `{Its}`, `{its}` (the name or another way to
    refer to it); the fact they state, such as `{founded}`; and `{another_CLASS}`, a value of that
    class that no question asks for.
    """

    noun: str
    name_class: str  # what draws the names of such entries, see values.py
    facts: Mapping[str, str | After]  # fact -> class of its value; an `After` comes after its fact
    opening: tuple[str, ...]  # alternatives of the first sentence
    statements: tuple[tuple[str, ...], ...]  # per statement, alternatives of its sentence
    questions: Mapping[str, tuple[str, ...]]  # fact -> alternatives of its question
    written: str = "{name}"  # the name as the sentences write it: `the {name}`, `“{name}”`
    by_surname: bool = False  # people are referred to by surname, all else by `it` and the noun
