"""Draw the values of the made-up world: names, years, measures and words of closed lists.

A name is a composition (stem + ending, first name + surname, adjective + noun). One composition in
five occurs in the dev set only, so that dev names are new although their parts are not.
"""

import random
from collections.abc import Callable, Sequence
from string import Formatter
from typing import Any, TypeVar

from bertsquad.demo.world import read_world

Item = TypeVar("Item")

DEV_SHARE = 5  # one composition in this many belongs to dev

VALUES = read_world("values.yaml")
PARTS: dict[str, list[str]] = VALUES["parts"]
NAMES: dict[str, str] = VALUES["names"]  # class -> template of parts
MEASURES: dict[str, dict[str, Any]] = VALUES["measures"]  # class -> unit, least, most
WORDS: dict[str, list[str]] = VALUES["words"]


def pick(rng: random.Random, items: Sequence[Item]) -> Item:
    """One of the items. It uses `random()`, the only draw that Python promises to keep between
    versions."""
    return items[int(rng.random() * len(items))]


def between(rng: random.Random, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + int(rng.random() * (high - low + 1))


def chance(rng: random.Random, probability: float) -> bool:
    """True with this probability."""
    return rng.random() < probability


def shuffled(rng: random.Random, items: Sequence[Item]) -> list[Item]:
    """The items in a random order."""
    keys = [rng.random() for _ in items]
    return [items[index] for index in sorted(range(len(items)), key=keys.__getitem__)]


def draw(value_class: str, rng: random.Random, dev: bool) -> str:
    """A value of the class, as it is written in a text."""
    if value_class in WORDS:
        return pick(rng, WORDS[value_class])
    if value_class in NAMES:
        return draw_name(NAMES[value_class], rng, dev)
    if value_class in MEASURES:
        measure = MEASURES[value_class]
        return f"{between(rng, measure['least'], measure['most'])} {measure['unit']}"
    return NUMBERS[value_class](rng)


def draw_name(template: str, rng: random.Random, dev: bool) -> str:
    """A name with one of each part in the template; it belongs to dev if and only if `dev`."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    while True:
        parts = [between(rng, 0, len(PARTS[name]) - 1) for name in names]
        if belongs_to_dev(*parts) == dev:
            chosen = {name: PARTS[name][part] for name, part in zip(names, parts, strict=True)}
            return template.format(**chosen)


def belongs_to_dev(*parts: int) -> bool:
    """Whether a composition of parts, as indices into their lists, belongs to dev."""
    return (
        sum(part * factor for part, factor in zip(parts, (1, 2, 3), strict=False)) % DEV_SHARE == 0
    )


def year(rng: random.Random) -> str:
    """`1500` to `1880`."""
    return str(between(rng, 1500, 1880))


def date(rng: random.Random) -> str:
    """`12 May 1871` or `May 12, 1871`."""
    day, month = between(rng, 1, 28), pick(rng, WORDS["month"])
    if chance(rng, 0.3):
        return f"{month} {day}, {year(rng)}"
    return f"{day} {month} {year(rng)}"


def population(rng: random.Random) -> str:
    """`2,000` to `98,000`."""
    return f"{between(rng, 4, 196) * 500:,}"


NUMBERS: dict[str, Callable[[random.Random], str]] = {
    "year": year,
    "date": date,
    "population": population,
}
