"""What an engine or precision changes beside a reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.answers.comparison import (
    best_spans,
    check_same_features,
    compare_answers,
    compare_logits,
)
from bertsquad.answers.logits import Logits
from bertsquad.console.errors import UserError


def dataset(golds):
    """One question q0, q1, ... for each list of gold answers."""
    questions = [
        {"id": f"q{n}", "question": f"Which {n}?", "answers": [{"text": text} for text in texts]}
        for n, texts in enumerate(golds)
    ]
    return {"version": "1.1", "data": [{"paragraphs": [{"qas": questions}]}]}


GOLDS = [["cat"], ["red fox", "fox"], ["owl"], ["dog"]]
REFERENCE = {"q0": "cat", "q1": "fox", "q2": "owl", "q3": "cow"}


def compare(predictions, minimum=0.99, golds=GOLDS, reference=REFERENCE):
    return compare_answers(
        dataset(golds), reference, predictions, minimum_f1_share=minimum, samples=100
    )


def test_equal_answers_change_nothing_and_pass():
    found = compare(REFERENCE)
    assert (found["f1"], found["reference_f1"], found["f1_share"]) == (75.0, 75.0, 1.0)
    assert (found["changed_answers"], found["examples"]) == (0, [])
    assert found["f1_difference_interval"] == (0.0, 0.0)
    assert found["passed"] is True


def test_changed_answers_are_counted_by_text_after_normalization_and_by_score():
    found = compare({"q0": "the cat", "q1": "red dog", "q2": "mouse", "q3": "dog"})
    assert found["questions"] == 4
    assert (found["changed_answers"], found["changed_answers_normalized"]) == (4, 3)
    assert (found["better"], found["worse"], found["equal"]) == (1, 2, 1)
    assert found["f1"] == 62.5
    assert found["f1_difference"] == -12.5


@pytest.mark.parametrize(
    ("lost", "gate"), [(0, "passed"), (1, "passed"), (5, "cannot tell"), (20, "failed")]
)
def test_the_gate_asks_the_interval_of_the_difference(lost, gate):
    golds = [[f"w{n}"] for n in range(500)]
    reference = {f"q{n}": f"w{n}" for n in range(500)}
    found = compare(
        reference | {f"q{n}": "wrong" for n in range(lost)}, 0.99, golds=golds, reference=reference
    )
    assert found["f1_share"] == pytest.approx(1 - lost / 500)
    assert (found["gate"], found["passed"]) == (gate, gate != "failed")


def test_four_questions_cannot_tell_a_loss_of_a_third():
    found = compare(REFERENCE | {"q2": "mouse"}, 0.7)
    assert found["f1_share"] == pytest.approx(2 / 3)
    assert found["f1_sign_test"] == 1.0
    assert (found["gate"], found["passed"]) == ("cannot tell", True)


def test_no_share_of_nothing_but_nothing_to_fail_either():
    nothing = dict.fromkeys(REFERENCE, "elk")
    found = compare(nothing, reference=nothing)
    assert (found["f1_share"], found["passed"]) == (None, True)


def test_examples_come_with_the_largest_change_first_then_in_the_datasets_order():
    found = compare({"q0": "the cat", "q1": "red dog", "q2": "mouse", "q3": "dog"})
    assert [example["id"] for example in found["examples"]] == ["q2", "q3", "q1", "q0"]
    assert found["examples"][2] == {
        "id": "q1",
        "question": "Which 1?",
        "reference_answer": "fox",
        "answer": "red dog",
        "gold_answers": ["red fox", "fox"],
        "reference_f1": 1.0,
        "f1": 0.5,
    }


def test_at_most_twenty_examples_are_kept():
    golds = [["cat"]] * 30
    reference = {f"q{n}": "cat" for n in range(30)}
    found = compare(dict.fromkeys(reference, "dog"), golds=golds, reference=reference)
    assert found["changed_answers"] == 30
    assert [example["id"] for example in found["examples"]] == [f"q{n}" for n in range(20)]


def logits(*features, sha256="a" * 64):
    """Of features given as (start logits, end logits)."""
    starts = np.cumsum([0, *(len(start) for start, _ in features)])
    start, end = (
        np.concatenate(values).astype(np.float32) for values in zip(*features, strict=True)
    )
    start, end = start.astype(np.float32), end.astype(np.float32)
    return Logits(start, end, starts, "torch", "fp32", sha256)


def test_largest_difference_and_moved_spans():
    first = logits(([0, 5, 1], [0, 1, 5]), ([5, 0, 0], [5, 0, 0]))
    second = logits(([0, 5, 1], [0, 1, 5.25]), ([5, 5.5, 0], [5, 5, 0]))
    assert compare_logits(first, second, max_answer_length=30) == {
        "features": 2,
        "changed_spans": 1,
        "changed_spans_share": 0.5,
        "max_start_logit_difference": 5.5,
        "max_end_logit_difference": 5.0,
        "max_logit_difference": 5.5,
    }


def test_a_span_has_moved_where_its_start_or_its_end_has():
    first = logits(([0, 5, 1], [0, 1, 5]), ([5, 0, 0], [5, 0, 0]))
    start_moved = logits(([5, 0, 1], [0, 1, 5]), ([5, 0, 0], [5, 0, 0]))
    end_moved = logits(([0, 5, 1], [0, 5, 1]), ([5, 0, 0], [5, 0, 0]))
    for other in (start_moved, end_moved):
        assert compare_logits(first, other, max_answer_length=30)["changed_spans"] == 1


def test_the_best_span_ends_where_it_starts_or_later_and_is_not_too_long():
    ends_before_it_starts = ([0, 0, 9, 0], [9, 0, 1, 0])
    long = ([9, 0, 4, 0], [0, 0, 0, 9])
    assert best_spans(logits(ends_before_it_starts), 30).tolist() == [[2, 2]]
    assert best_spans(logits(long), 4).tolist() == [[0, 3]]
    assert best_spans(logits(long), 3).tolist() == [[2, 3]]


VALUES = st.integers(-3, 3)
FEATURES = st.lists(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=6), min_size=1)


@given(FEATURES, st.integers(1, 8))
def test_best_spans_equal_the_plain_search(features, longest):
    made = logits(*(tuple(zip(*feature, strict=True)) for feature in features))
    for feature, found in zip(made.starts[:-1], best_spans(made, longest), strict=True):
        number = int(np.searchsorted(made.starts, feature, side="right")) - 1
        tokens = range(made.starts[number], made.starts[number + 1])
        spans = [(a, b) for a in tokens for b in tokens if a <= b < a + longest]
        score = [made.start_logits[a] + made.end_logits[b] for a, b in spans]
        assert tuple(found) == spans[int(np.argmax(score))]


def test_logits_of_other_features_are_refused():
    first, other = logits(([1], [1])), logits(([1], [1]), sha256="b" * 64)
    check_same_features("a", first, "b", first)
    with pytest.raises(UserError, match=r"b: logits of other features than a \(sha256 bbbb"):
        check_same_features("a", first, "b", other)
    with pytest.raises(UserError, match="logits of other features"):
        check_same_features("a", first, "b", logits(([1, 2], [1, 2])))
