"""The values that the made-up world is made of: names, years, measures and closed lists of words.

A name is a composition (stem + ending, first name + surname, adjective + noun). One composition in
five is kept back for the dev set, so that dev names are new although their parts are not.
"""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

DEV_SHARE = 5  # one name in this many is met in dev only


def pick(rng: random.Random, items: Sequence[Item]) -> Item:
    """One of the items. Built on `random()` alone: the only draw that Python promises never to
    change between versions."""
    return items[int(rng.random() * len(items))]


def between(rng: random.Random, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + int(rng.random() * (high - low + 1))


def chance(rng: random.Random, probability: float) -> bool:
    return rng.random() < probability


def shuffled(rng: random.Random, items: Sequence[Item]) -> list[Item]:
    keys = [rng.random() for _ in items]
    return [items[index] for index in sorted(range(len(items)), key=keys.__getitem__)]


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


STEMS = words(
    "Vel Kar Ost Bren Tor Mal Har Lin Dor Sel Ash Win Gal Rav Nor Hel Mor Tal Cor Ald Els Ket "
    "Stav Quen Fal Grim Lund Pel Ros Sten Thal Ulf Var Yar Zel Bex Cald Drey Åsk Öster Élan Søl"
)
PLACE_ENDINGS = words(
    "beck ford haven wick stad holm burg dale mouth minster ton field ville gate mark sund quay by"
)
RIVER_ENDINGS = words("ara enna ine owe ey ith ova une issa ador ell ür")
SURNAME_ENDINGS = words("son man ova berg strom hardt well wright mann quist ley ström ier ano ez")
FIRST_NAMES = words(
    "Anna Bruno Clara David Edith Felix Greta Hugo Irene Jonas Karin Leon Marta Nils Olga Paul "
    "Rosa Simon Tilda Viktor Wanda Yusuf Zoë José Émile Søren Agnès Björn Inês Cosima Dario Ewa "
    "Fiona Goran Hedda Ivo Judit Lars Mira Noor Otto Petra"
)
PEAK_ENDINGS = words("horn spitz tind fell nock ak")
ISLAND_ENDINGS = words("sey skerry ø eyot öre voe")
BIRD_NOUNS = words("warbler owl finch plover kite wren tern shrike")
ADJECTIVES = words(
    "Silver Northern Grey Golden Silent Distant Crimson Hollow Morning Wandering Patient Burning "
    "Frozen Hidden Merry Salt Glass Paper Iron Winter"
)
NOUNS = words(
    "Heron Lantern Star Orchard Falcon Harbour Mirror Garden Compass Anchor Swallow Thistle River "
    "Bell Crown Tide Otter Window Meadow Candle Sparrow Ladder Clock Forest"
)

CLOSED_LISTS: dict[str, tuple[str, ...]] = {
    "country": words(
        "Ostravia Belmark Kordania Selmany Thuria Vestland Norrania Galdovia Marenia Lusonia "
        "Dalmeria Estovia Perania Quillia Zembria Arvonia Côrvia Sankt-Orel"
    ),
    "trade": words("wool salt glass timber paper copper silk amber leather cheese pottery honey"),
    "cargo": words("coffee grain coal marble sugar cotton tea rice tobacco oranges bricks wine"),
    "rock": words(
        "granite limestone basalt sandstone slate gneiss quartzite marble dolomite chalk"
    ),
    "material": words("steel stone brick oak concrete iron timber aluminium granite bamboo"),
    "colour": words("red blue green yellow black white orange violet brown grey turquoise crimson"),
    "food": words(
        "beetles berries seeds snails moths worms acorns crabs spiders frogs ants mosses nectar"
    ),
    "habitat": words(
        "marshes pinewoods cliffs meadows dunes orchards moorland reedbeds caves scrub"
    ),
    "month": words(
        "January February March April May June July August September October November December"
    ),
    "language": words(
        "Latin Ostravian Belmarkish Thurian Selmanic Galdovian Estovian French Greek"
    ),
    "profession": words(
        "painter botanist composer astronomer physician poet engineer sculptor chemist "
        "cartographer novelist mathematician"
    ),
    "subject": words("clocks maps coins kites violins fossils lamps shells costumes stamps robots"),
    "dish": words("dumplings pancakes sausages gingerbread chowder strudel noodles trout waffles"),
    "count": words("two three four five six seven eight nine ten eleven twelve fifteen twenty"),
    "animal": words("goats seals ponies puffins sheep bats otters tortoises deer lizards"),
    "instrument": words("violin organ flute harp cello trumpet lute oboe piano clarinet"),
    "direction": words("north south east west north-east south-west"),
    "size": words("small quiet busy walled old prosperous"),
}


def kept_back(*parts: int) -> bool:
    """Whether the composition of these parts (indices into lists) belongs to dev."""
    return (
        sum(part * factor for part, factor in zip(parts, (1, 2, 3), strict=False)) % DEV_SHARE == 0
    )


def compose(rng: random.Random, dev: bool, *lists: Sequence[str]) -> tuple[str, ...]:
    """One part of each list; a composition kept back for dev if and only if `dev`."""
    while True:
        parts = [between(rng, 0, len(items) - 1) for items in lists]
        if kept_back(*parts) == dev:
            return tuple(items[part] for items, part in zip(lists, parts, strict=True))


def place(rng: random.Random, dev: bool) -> str:
    return "".join(compose(rng, dev, STEMS, PLACE_ENDINGS))


def river(rng: random.Random, dev: bool) -> str:
    return "".join(compose(rng, dev, STEMS, RIVER_ENDINGS))


def person(rng: random.Random, dev: bool) -> str:
    first, stem, ending = compose(rng, dev, FIRST_NAMES, STEMS, SURNAME_ENDINGS)
    return f"{first} {stem}{ending}"


def peak(rng: random.Random, dev: bool) -> str:
    return "".join(compose(rng, dev, STEMS, PEAK_ENDINGS))


def emblem(rng: random.Random, dev: bool) -> str:
    """What ships, books and operas are called: `Silver Heron`."""
    return " ".join(compose(rng, dev, ADJECTIVES, NOUNS))


def title(rng: random.Random, dev: bool) -> str:
    return "The " + emblem(rng, dev)


def bridge(rng: random.Random, dev: bool) -> str:
    return " ".join((*compose(rng, dev, STEMS, NOUNS), "Bridge"))


def island(rng: random.Random, dev: bool) -> str:
    return "".join(compose(rng, dev, STEMS, ISLAND_ENDINGS))


def museum(rng: random.Random, dev: bool) -> str:
    return " ".join((*compose(rng, dev, STEMS, NOUNS), "Museum"))


def festival(rng: random.Random, dev: bool) -> str:
    return " ".join((*compose(rng, dev, STEMS, NOUNS), "Fair"))


def bird(rng: random.Random, dev: bool) -> str:
    """`Grey Velbeck owl`: a capital only where the name holds another name."""
    adjective, stem, ending = compose(rng, dev, ADJECTIVES, STEMS, BIRD_NOUNS)
    return f"{adjective} {stem} {ending}"


def year(rng: random.Random, dev: bool) -> str:
    return str(between(rng, 1500, 1880))


def date(rng: random.Random, dev: bool) -> str:
    day, month = between(rng, 1, 28), pick(rng, CLOSED_LISTS["month"])
    if chance(rng, 0.3):
        return f"{month} {day}, {year(rng, dev)}"
    return f"{day} {month} {year(rng, dev)}"


def population(rng: random.Random, dev: bool) -> str:
    return f"{between(rng, 4, 196) * 500:,}"


def measure(unit: str, low: int, high: int) -> Callable[[random.Random, bool], str]:
    def draw(rng: random.Random, dev: bool) -> str:
        return f"{between(rng, low, high)} {unit}"

    return draw


MEASURES: dict[str, Callable[[random.Random, bool], str]] = {
    "kilometres": measure("kilometres", 12, 940),
    "metres": measure("metres", 20, 980),
    "height": measure("metres", 1100, 5900),
    "grams": measure("grams", 11, 890),
    "tonnes": measure("tonnes", 120, 9800),
}
OPEN_VALUES: dict[str, Callable[[random.Random, bool], str]] = {
    **MEASURES,
    "place": place,
    "river": river,
    "person": person,
    "peak": peak,
    "emblem": emblem,
    "title": title,
    "bridge": bridge,
    "island": island,
    "museum": museum,
    "festival": festival,
    "bird": bird,
    "year": year,
    "date": date,
    "population": population,
}


def draw(value_class: str, rng: random.Random, dev: bool) -> str:
    """A value of the class, as it is written in a text."""
    if value_class in CLOSED_LISTS:
        return pick(rng, CLOSED_LISTS[value_class])
    return OPEN_VALUES[value_class](rng, dev)
