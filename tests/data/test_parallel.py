"""Features made by several processes are those made at once, and so is what goes wrong."""

import numpy as np
import pytest

from bertsquad.console.errors import UserError
from bertsquad.data import parallel
from bertsquad.data.featurization import featurize
from bertsquad.data.parallel import featurize_in_parallel, split
from bertsquad.data.squad import Answer, Dataset, Paragraph, Question
from bertsquad.data.tokenization import Vocabulary

OPTIONS = {"max_seq_length": 16, "doc_stride": 3, "max_query_length": 5}
# One paragraph a line: its context, and the answer of each of its questions.
PARAGRAPHS = [
    ("The first tower was finished in 1895 by John Smith, a tall man of some means.", ["1895"]),
    ("A short one.", []),
    ("It has no answer here.", ["nowhere"]),
    ("Grain, steel and railway lines met at the junction (1895-1943).", ["1943", "steel", "x y"]),
    ("Words and more words, so that there are several windows over it: one, two, three.", ["two"]),
    ("The last.", ["last", "The"]),
]


@pytest.fixture
def vocabulary(uncased_vocab):
    return Vocabulary(uncased_vocab)


@pytest.fixture
def several(monkeypatch):
    monkeypatch.setattr(parallel, "LEAST_PARAGRAPHS", 1)


def dataset_of(paragraphs, text="Which one was it, of all that there were?"):
    made = []
    for p, (context, answers) in enumerate(paragraphs):
        questions = (
            Question(f"p{p}q{q}", text, (Answer(answer, max(0, context.find(answer))),))
            for q, answer in enumerate(answers)
        )
        made.append(Paragraph("", context, tuple(questions)))
    return Dataset("1.1", tuple(made), source="train.json")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("processes", [2, 3, 6])
def test_every_array_and_every_count_is_the_same(several, vocabulary, processes, training):
    dataset = dataset_of(PARAGRAPHS)
    at_once = featurize(dataset, vocabulary, training=training, **OPTIONS)
    made = featurize_in_parallel(
        dataset, vocabulary, processes=processes, training=training, **OPTIONS
    )
    assert made.metadata == at_once.metadata
    assert list(made.arrays) == list(at_once.arrays)
    for name, array in at_once.arrays.items():
        np.testing.assert_array_equal(made.arrays[name], array, err_msg=name, strict=True)


def test_parts_are_equally_long_and_nothing_is_lost():
    dataset = dataset_of([("a" * length, []) for length in (10, 10, 20, 5, 5, 30)])
    parts = split(dataset, 3)
    assert [[len(p.context) for p in part.paragraphs] for part in parts] == [
        [10, 10],
        [20, 5, 5],
        [30],
    ]


def test_one_paragraph_is_one_part():
    assert split(dataset_of([("a b", [])]), 4) == [dataset_of([("a b", [])])]


def test_an_error_counts_the_questions_of_the_whole_dataset(several, vocabulary):
    dataset = dataset_of(PARAGRAPHS)
    options = {"max_seq_length": 8, "doc_stride": 3, "max_query_length": 64, "training": False}
    with pytest.raises(UserError) as at_once:
        featurize(dataset, vocabulary, **options)
    with pytest.raises(UserError) as made:
        featurize_in_parallel(dataset, vocabulary, processes=3, **options)
    assert str(made.value) == str(at_once.value)
    assert "(8 such questions)" in str(made.value)


def test_no_feature_at_all_is_an_error_here_too(several, vocabulary):
    dataset = dataset_of([("a b c", ["x"]), ("d e f", ["y"])])
    with pytest.raises(UserError, match="not one of 2 questions can be used"):
        featurize_in_parallel(dataset, vocabulary, processes=2, training=True, **OPTIONS)
