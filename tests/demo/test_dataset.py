"""The demo's passages and questions."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from bertsquad.demo.dataset import (
    KINDS,
    Statement,
    class_of,
    make_dataset,
    make_passage,
    other_answers,
)


@pytest.fixture(scope="module")
def train() -> dict[str, Any]:
    return make_dataset(0, "train", 1000)


@pytest.fixture(scope="module")
def dev() -> dict[str, Any]:
    return make_dataset(0, "dev", 200)


def questions(dataset: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every question, with its passage."""
    for article in dataset["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                yield paragraph["context"], question


def test_entries_of_dev_have_names_that_train_never_uses(train, dev):
    titles = [{article["title"] for article in dataset["data"]} for dataset in (train, dev)]
    assert not titles[0] & titles[1]


def test_people_in_answers_of_dev_are_unknown_to_train(train, dev):
    people = [
        {
            question["answers"][0]["text"]
            for _, question in questions(dataset)
            if question["question"].startswith("Who ")
        }
        for dataset in (train, dev)
    ]
    assert len(people[1]) > 20
    assert not people[0] & people[1]


def test_ids_are_unique_and_say_what_is_asked(dev):
    ids = [question["id"] for _, question in questions(dev)]
    assert len(set(ids)) == len(ids)
    _, question = next(questions(dev))
    assert question["id"].startswith("dev-00000-")


def test_answers_begin_and_end_where_words_do(dev):
    for context, question in questions(dev):
        for answer in question["answers"]:
            end = answer["answer_start"] + len(answer["text"])
            around = context[: answer["answer_start"]][-1:] + context[end : end + 1]
            assert not any(character.isalnum() for character in around), question


def test_some_facts_have_a_rival_of_the_same_class_in_their_passage():
    kinds = {kind.noun: kind for kind in KINDS}
    rng = random.Random(0)
    facts = rivals = 0
    for _ in range(500):
        stated = make_passage(rng, dev=True).stated
        classes = Counter(class_of(kinds[statement.kind], statement.fact) for statement in stated)
        facts += len(stated)
        rivals += sum(count for count in classes.values() if count > 1)
    assert 0.04 < rivals / facts < 0.2


def test_texts_hold_what_makes_casing_and_offsets_matter(dev):
    text = " ".join(context for context, _ in questions(dev))
    for sign in ("'s ", "“", ",", ";", "å", "É", "ø"):
        assert sign in text or sign.swapcase() in text, sign


def test_an_annotator_may_take_the_article_or_leave_the_unit():
    context = "It is joined by the Aldra, about 40 metres wide."
    river = Statement("river", "tributary", context.index("Aldra"), "Aldra", ())
    assert other_answers(context, river) == [("the Aldra", context.index("the Aldra"))]
    width = Statement("river", "width", context.index("40"), "40 metres", ())
    assert other_answers(context, width) == [
        ("about 40 metres", context.index("about")),
        ("40", context.index("40")),
    ]


def test_no_answer_begins_inside_a_word():
    context = "The rooms hold 900 objects."
    objects = Statement("museum", "objects", context.index("900"), "900", ())
    assert other_answers(context, objects) == []
