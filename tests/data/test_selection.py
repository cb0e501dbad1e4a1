"""A smaller dataset out of a larger one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.console.errors import UserError
from bertsquad.data.selection import select


def dataset(*sizes: list[tuple[int, int]]) -> dict:
    """One article per argument, of paragraphs with (characters, questions)."""
    return {
        "version": "1.1",
        "data": [
            {
                "title": f"article {number}",
                "paragraphs": [
                    {"context": "x" * length, "qas": [{"id": f"{number}-{length}-{q}"}] * count}
                    for q, (length, count) in enumerate(paragraphs)
                ],
            }
            for number, paragraphs in enumerate(sizes)
        ],
    }


def shape(data: dict) -> list[tuple[str, list[int]]]:
    return [
        (article["title"], [len(paragraph["context"]) for paragraph in article["paragraphs"]])
        for article in data["data"]
    ]


def test_every_second_short_paragraph_where_half_of_them_is_enough():
    data = dataset([(1, 5), (2, 5), (99, 5), (3, 5)], [(4, 5)], [(5, 5), (6, 5)])
    selected = select(data, questions=15, longest_context=10)
    assert shape(selected) == [("article 0", [1, 3]), ("article 2", [5])]
    assert selected["version"] == "1.1"


def test_all_short_ones_where_there_are_not_enough():
    data = dataset([(1, 5), (99, 5)], [(4, 5)])
    assert shape(select(data, questions=100, longest_context=10)) == [
        ("article 0", [1]),
        ("article 1", [4]),
    ]


def test_no_paragraph_is_short_enough():
    with pytest.raises(UserError, match="no context of at most 10 characters"):
        select(dataset([(11, 1)]), questions=1, longest_context=10)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(1, 200))
def test_at_least_as_many_as_asked_and_no_paragraph_more(counts, questions):
    data = dataset([(1, count) for count in counts])
    kept = [
        len(paragraph["qas"])
        for article in select(data, questions=questions, longest_context=1)["data"]
        for paragraph in article["paragraphs"]
    ]
    assert sum(kept) >= min(questions, sum(counts))
    assert sum(kept[:-1]) < questions
