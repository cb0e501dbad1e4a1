"""From a dataset to features: equal to run_squad.py's in every array."""

from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plain_run_squad
from bertsquad.console.errors import UserError
from bertsquad.data import squad
from bertsquad.data.features import Features
from bertsquad.data.featurization import featurize
from bertsquad.data.squad import Answer, Dataset, Paragraph, Question
from bertsquad.data.tokenization import Vocabulary

GUIDE = {"max_seq_length": 384, "doc_stride": 128, "max_query_length": 64}
SMALL = {"max_seq_length": 16, "doc_stride": 3, "max_query_length": 5}


@pytest.fixture(scope="module")
def vocabulary(uncased_vocab: Path) -> Vocabulary:
    return Vocabulary(uncased_vocab)


def dataset_of(*questions: tuple[str, str, tuple[str, int] | None]) -> Dataset:
    """One paragraph a question: (context, question, answer or None); ids "q0", "q1", ..."""
    return Dataset(
        "1.1",
        tuple(
            Paragraph(
                "",
                context,
                (Question(f"q{number}", text, () if answer is None else (Answer(*answer),)),),
            )
            for number, (context, text, answer) in enumerate(questions)
        ),
        source="train.json",
    )


def plain_view(features: Features, index: int, tokens: list[str]) -> plain_run_squad.Feature:
    """A feature spelled out as run_squad.py's InputFeatures."""
    input_ids, input_mask, segment_ids = (a[0].tolist() for a in features.padded([index]))
    question = features.feature_question[index]
    doc_start, doc_length = int(features.doc_start[index]), int(features.doc_length[index])
    begin = features.context_starts[features.question_paragraph[question]] + doc_start
    first = sum(input_mask) - doc_length - 1
    words = features.context_words[begin : begin + doc_length].tolist()
    best = range(features.max_context_begin[index], features.max_context_end[index])
    return plain_run_squad.Feature(
        tokens=[tokens[id] for id in input_ids[: sum(input_mask)]],
        input_ids=input_ids,
        input_mask=input_mask,
        segment_ids=segment_ids,
        token_to_orig_map=dict(enumerate(words, start=first)),
        token_is_max_context={first + n: doc_start + n in best for n in range(doc_length)},
        start_position=int(features.start_position[index]) if features.training else None,
        end_position=int(features.end_position[index]) if features.training else None,
        doc_span=(doc_start, doc_length),
    )


def assert_equal_to_plain(
    dataset: Dataset, vocabulary: Vocabulary, training: bool, **lengths: int
) -> None:
    tokenize = cache(
        partial(plain_run_squad.tokenize, vocabulary=vocabulary.ids, lowercase=vocabulary.lowercase)
    )
    expected, without_feature = [], []
    for paragraph in dataset.paragraphs:
        for question in paragraph.questions:
            answer = (question.answers[0].text, question.answers[0].start) if training else None
            made = plain_run_squad.features_of(
                paragraph.context,
                question.text,
                answer,
                tokenize=tokenize,
                vocabulary=vocabulary.ids,
                **lengths,
            )
            expected += [(question.id, feature) for feature in made or []]
            without_feature += [] if made else [question.id]
    if not expected:
        with pytest.raises(UserError, match="not one of"):
            featurize(dataset, vocabulary, training=training, **lengths)
        return
    features = featurize(dataset, vocabulary, training=training, **lengths)
    assert len(features) == len(expected)
    ids = [question.id for question in dataset.questions()]
    for index, (id, feature) in enumerate(expected):
        assert ids[features.feature_question[index]] == id
        assert plain_view(features, index, vocabulary.tokens) == feature
    skipped = features.metadata["skipped"].values()
    assert sum(reason["count"] for reason in skipped) == len(without_feature)


def test_golden_features(vocabulary: Vocabulary, golden: dict[str, Any]) -> None:
    for case in golden["features"]:
        dataset = dataset_of(
            (case["context"], case["question"], (case["answer"], case["answer_start"]))
        )
        features = featurize(
            dataset, vocabulary, training=True, **{name: case[name] for name in GUIDE}
        )
        assert len(features) == len(case["features"])
        for index, expected in enumerate(case["features"]):
            found = vars(plain_view(features, index, vocabulary.tokens))
            for name in expected.keys() - {"unique_id"}:
                value = found[name]
                if isinstance(value, dict):
                    value = {str(key): item for key, item in value.items()}
                assert value == expected[name], name


def test_an_answer_outside_the_window_points_at_cls(vocabulary: Vocabulary) -> None:
    context = "one two three four five six seven eight nine ten eleven twelve"
    features = featurize(
        dataset_of((context, "which?", ("eleven twelve", 49))), vocabulary, training=True, **SMALL
    )
    assert features.doc_start.tolist() == [0, 3]
    assert features.doc_length.tolist() == [11, 9]
    # [CLS] which ? [SEP] four five six seven eight nine ten eleven twelve [SEP]
    assert features.start_position.tolist() == [0, 11]
    assert features.end_position.tolist() == [0, 12]


def test_predicting_needs_no_answer_place(vocabulary: Vocabulary) -> None:
    features = featurize(
        dataset_of(("a b c", "which?", ("b", 99))), vocabulary, training=False, **SMALL
    )
    assert not features.training
    assert features.start_position is None
    assert features.metadata["skipped"] == {}


def test_training_counts_and_names_what_it_skips_and_why(vocabulary: Vocabulary) -> None:
    dataset = dataset_of(
        ("one two", "which?", ("two", 4)),
        ("one two", "which?", None),
        ("one two", "which?", (" \n", 3)),
        ("one two", "which?", ("three", 0)),
        ("one two", "which?", ("two", 400)),
        ("\u200b\u200b", "which?", ("\u200b", 0)),
    )
    features = featurize(dataset, vocabulary, training=True, **SMALL)
    assert features.feature_question.tolist() == [0]
    assert features.metadata["questions"] == 6
    assert features.metadata["skipped"] == {
        "no answer": {"count": 2, "first": ["q1", "q2"]},
        "the answer is not in the context at its answer_start": {
            "count": 2,
            "first": ["q3", "q4"],
        },
        "its context has no token": {"count": 1, "first": ["q5"]},
    }


def test_only_the_first_skipped_questions_are_named(vocabulary: Vocabulary) -> None:
    dataset = dataset_of(("one two", "which?", ("two", 4)), *[("one two", "which?", None)] * 9)
    skipped = featurize(dataset, vocabulary, training=True, **SMALL).metadata["skipped"]
    assert skipped == {"no answer": {"count": 9, "first": ["q1", "q2", "q3", "q4", "q5"]}}


def test_nothing_left_to_train_on_is_a_user_error(vocabulary: Vocabulary) -> None:
    dataset = dataset_of(("one two", "which?", None), ("one two", "which?", ("three", 0)))
    with pytest.raises(UserError) as caught:
        featurize(dataset, vocabulary, training=True, **SMALL)
    assert str(caught.value) == (
        "train.json: not one of 2 questions can be used (1: no answer; "
        "1: the answer is not in the context at its answer_start)"
    )


def test_a_long_question_is_cut_and_counted(vocabulary: Vocabulary) -> None:
    dataset = dataset_of(("a", "one two three four five six", None), ("a", "one?", None))
    features = featurize(dataset, vocabulary, training=False, **SMALL)
    assert np.diff(features.question_starts).tolist() == [5, 2]
    assert features.metadata["truncated"] == {"count": 1, "first": ["q0"]}


def test_a_question_that_leaves_no_room_for_context_is_a_user_error(
    vocabulary: Vocabulary,
) -> None:
    dataset = dataset_of(("a b", "one?", None), ("a b", "one two three four five", None))
    lengths = {"max_seq_length": 8, "doc_stride": 3, "max_query_length": 5}
    with pytest.raises(UserError) as caught:
        featurize(dataset, vocabulary, training=False, **lengths)
    assert str(caught.value) == (
        "train.json: question 'q1' has 5 word pieces, which leave no room for context in "
        "max_seq_length 8 (1 such questions); raise max_seq_length to at least 9 or lower "
        "max_query_length"
    )
    features = featurize(dataset, vocabulary, training=False, **{**lengths, "max_seq_length": 9})
    assert features.doc_length.tolist() == [2, 1, 1]


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [("max_seq_length", 3, 4), ("doc_stride", 0, 1), ("max_query_length", -1, 0)],
)
def test_lengths_out_of_range(vocabulary: Vocabulary, name: str, value: int, least: int) -> None:
    with pytest.raises(UserError, match=f"{name} is {value}; expected at least {least}"):
        featurize(
            dataset_of(("a", "b", None)), vocabulary, training=False, **{**SMALL, name: value}
        )


def test_one_context_of_several_questions_is_stored_once(vocabulary: Vocabulary) -> None:
    questions = tuple(Question(f"q{n}", "which?", (Answer("a", 0),)) for n in range(3))
    dataset = Dataset("1.1", (Paragraph("", "a b", questions), Paragraph("", "c", ())))
    features = featurize(dataset, vocabulary, training=False, **SMALL)
    assert features.context_starts.tolist() == [0, 2, 3]
    assert features.question_paragraph.tolist() == [0, 0, 0]
    assert features.context_ids.dtype == np.uint16


WORDS = st.sampled_from(
    ["a", "(1895-1943).", "Japanese", "johanson's", "\u200b", "x\u00a0y", "国国", "", "é", "zqzqzq"]
)
SPACES = st.sampled_from([" ", "  ", "\n", "\u202f", " \u200b "])


@st.composite
def examples(draw: st.DrawFn) -> tuple[str, str, tuple[str, int]]:
    """A context with odd words and spaces, a question, and a piece of the context as its answer,
    sometimes somewhat beside its place."""
    words = draw(st.lists(st.tuples(WORDS, SPACES), min_size=1, max_size=25))
    context = draw(st.sampled_from(["", " "])) + "".join(word + space for word, space in words)
    question = " ".join(draw(st.lists(WORDS, max_size=6)))
    first = draw(st.integers(0, len(context) - 1))
    text = context[first : first + draw(st.integers(1, 30))]
    shift = draw(st.sampled_from([0, 0, 0, 1, -1]))
    start = min(max(first + shift, 0), len(context) - len(text))
    return context, question, (text, start)


@given(
    st.lists(examples().filter(lambda e: e[0].strip() and e[2][0].strip()), min_size=1, max_size=3),
    st.booleans(),
    st.integers(10, 30),
    st.integers(1, 40),
    st.integers(0, 6),
)
def test_features_equal_the_plain_algorithm(
    vocabulary: Vocabulary,
    cases: list[tuple[str, str, tuple[str, int]]],
    training: bool,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
) -> None:
    assert_equal_to_plain(
        dataset_of(*cases),
        vocabulary,
        training,
        max_seq_length=max_seq_length,
        doc_stride=doc_stride,
        max_query_length=max_query_length,
    )


@given(st.lists(WORDS, min_size=1, max_size=40), st.integers(8, 20), st.integers(1, 12))
def test_the_text_recovered_from_windows_is_the_text(
    vocabulary: Vocabulary, words: list[str], max_seq_length: int, doc_stride: int
) -> None:
    context = " ".join(["start", *words])
    features = featurize(
        dataset_of((context, "?", None)),
        vocabulary,
        training=False,
        max_seq_length=max_seq_length,
        doc_stride=doc_stride,
        max_query_length=1,
    )
    pieces: dict[int, int] = {}
    owners: dict[int, int] = {}
    for index in range(len(features)):
        ids = features.packed([index]).input_ids[3:-1].tolist()
        start = int(features.doc_start[index])
        for position, id in enumerate(ids, start=start):
            assert pieces.setdefault(position, id) == id
        best = range(features.max_context_begin[index], features.max_context_end[index])
        for position in best:
            assert owners.setdefault(position, index) == index
    assert sorted(pieces) == sorted(owners) == list(range(len(pieces)))
    assert [pieces[position] for position in sorted(pieces)] == vocabulary.encode(context)


COUNTS = {  # tests/fixtures/golden.json's "counts"; those of the cased vocabulary are our own
    ("dev", "uncased"): [10387, 127, 36, 16, 4],
    ("dev", "cased"): [10353, 158, 32, 19, 8],
    ("train", "uncased"): [86706, 778, 91, 14, 10],
    ("train", "cased"): [86512, 952, 105, 17, 13],
}
FEATURES = {
    ("dev", "uncased"): 10833,
    ("dev", "cased"): 10881,
    ("train", "uncased"): 88641,
    ("train", "cased"): 88864,
}


@pytest.fixture(scope="module")
def real_datasets(squad_dir: Path) -> dict[str, Dataset]:
    return {
        name: squad.load(
            squad_dir / f"{name}-v1.1.json", purpose="train" if name == "train" else "predict"
        )
        for name in ("dev", "train")
    }


def real_vocabulary(squad_dir: Path, casing: str) -> Vocabulary:
    path = squad_dir.parent / f"vocab/vocab_{casing}.txt"
    if not path.is_file():
        pytest.skip(f"Google's vocabulary is not at {path}")
    return Vocabulary(path)


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize(("name", "casing"), FEATURES)
def test_real_feature_counts(
    squad_dir: Path,
    real_datasets: dict[str, Dataset],
    golden: dict[str, Any],
    name: str,
    casing: str,
) -> None:
    vocabulary = real_vocabulary(squad_dir, casing)
    features = featurize(real_datasets[name], vocabulary, training=name == "train", **GUIDE)
    assert len(features) == FEATURES[name, casing]
    histogram = np.bincount(np.bincount(features.feature_question))
    assert histogram.tolist() == [0, *COUNTS[name, casing]]
    assert features.metadata["skipped"] == {}
    assert features.metadata["truncated"]["count"] == 0
    if casing == "uncased":
        (counts,) = golden["counts"].values()
        spans = {str(n): int(count) for n, count in enumerate(histogram) if count}
        assert spans == counts[f"{name}_spans_histogram"]
        assert len(features) == counts[f"{name}_features"]


@pytest.mark.slow
@pytest.mark.real_data
def test_real_dev_equals_the_plain_algorithm(
    real_datasets: dict[str, Dataset], vocabulary: Vocabulary
) -> None:
    assert_equal_to_plain(real_datasets["dev"], vocabulary, training=False, **GUIDE)


@pytest.mark.slow
@pytest.mark.real_data
def test_real_train_equals_the_plain_algorithm(
    squad_dir: Path, real_datasets: dict[str, Dataset]
) -> None:
    """Every 40th paragraph, with windows so small that most contexts need several."""
    whole = real_datasets["train"]
    dataset = Dataset(whole.version, whole.paragraphs[::40])
    vocabulary = real_vocabulary(squad_dir, "cased")
    lengths = {"max_seq_length": 128, "doc_stride": 40, "max_query_length": 16}
    assert_equal_to_plain(dataset, vocabulary, training=True, **lengths)
