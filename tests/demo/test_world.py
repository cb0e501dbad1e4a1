"""The files of the demo's made-up world."""

from string import Formatter

import pytest

from bertsquad.demo.kinds import FILES, After, kind_of, read_kinds
from bertsquad.demo.values import MEASURES, NAMES, NUMBERS, PARTS, WORDS
from bertsquad.demo.world import FOLDER


def test_every_file_of_the_world_is_read():
    assert {path.name for path in FOLDER.iterdir()} == {"values.yaml", *FILES}


def test_kinds_keep_the_order_that_the_seeds_draws_rely_on():
    assert " ".join(kind.noun for kind in read_kinds()) == (
        "town river mountain bridge island person ship novel museum festival bird"
    )


def test_a_year_that_follows_another_is_written_as_a_mapping():
    kind = kind_of(
        {
            "noun": "town",
            "name_class": "place",
            "facts": {"founded": "year", "railway": {"after": "founded", "least": 20, "most": 130}},
            "opening": ["{name} is a town."],
            "statements": [["It was founded in {founded}."]],
            "questions": {"founded": ["When was {name} founded?"]},
        }
    )
    assert kind.facts == {"founded": "year", "railway": After("founded", 20, 130)}
    assert kind.statements == (("It was founded in {founded}.",),)
    assert (kind.written, kind.by_surname) == ("{name}", False)


def test_no_class_of_values_is_defined_twice():
    classes = [*WORDS, *NAMES, *MEASURES, *NUMBERS]
    assert len(set(classes)) == len(classes)


@pytest.mark.parametrize("kind", read_kinds(), ids=lambda kind: kind.noun)
def test_every_fact_of_a_kind_has_a_class_that_can_be_drawn(kind):
    classes = {*WORDS, *NAMES, *MEASURES, *NUMBERS}
    drawn = {value for value in kind.facts.values() if not isinstance(value, After)}
    assert {kind.name_class, *drawn} <= classes
    after = [value for value in kind.facts.values() if isinstance(value, After)]
    assert {value.fact for value in after} <= kind.facts.keys()


@pytest.mark.parametrize("template", NAMES.values(), ids=NAMES)
def test_a_name_is_composed_of_two_or_three_parts(template):
    parts = [part for _, part, _, _ in Formatter().parse(template) if part]
    assert len(parts) in (2, 3)
    assert set(parts) <= PARTS.keys()
