"""Scores of SQuAD 2.0 are evaluate-v2.0.py's to the last digit."""

import importlib.util
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import official_script_v2
from bertsquad.answers import metrics, metrics_v2
from bertsquad.console.errors import UserError


@pytest.fixture(scope="module", params=["rebuilt", "itself"])
def official(request):
    """What the official script does, rebuilt by the tests, and evaluate-v2.0.py itself."""
    if request.param == "rebuilt":
        return official_script_v2.evaluate
    path = Path(os.environ.get("EVALUATE_V2_SCRIPT", "no such file"))
    if not path.is_file():
        pytest.skip(
            "set EVALUATE_V2_SCRIPT to the path of evaluate-v2.0.py. Unproven: that scores are "
            "those of its own code; the rebuilt one stands for it"
        )
    spec = importlib.util.spec_from_file_location("evaluate_v2_0", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda *arguments: run_itself(module, *arguments)


def run_itself(script, articles, predictions, numbers=None, threshold=1.0):
    """What its main does with its own functions."""
    given = numbers if numbers is not None else dict.fromkeys(predictions, 0.0)
    has_answer = script.make_qid_to_has_ans(articles)
    raw = script.get_raw_scores(articles, predictions)
    final = [script.apply_no_ans_threshold(each, given, has_answer, threshold) for each in raw]
    result = script.make_eval_dict(*final)
    for prefix, wanted in (("HasAns", True), ("NoAns", False)):
        ids = [id_ for id_, known in has_answer.items() if known is wanted]
        if ids:
            script.merge_eval(result, script.make_eval_dict(*final, qid_list=ids), prefix)
    if numbers is not None:
        script.find_all_best_thresh(result, predictions, *raw, given, has_answer)
    return result


def dataset(golds, version="v2.0"):
    """A dataset whose questions are q0, q1, ... with these gold answers; none: unanswerable."""
    questions = [
        {
            "id": f"q{number}",
            "is_impossible": not texts,
            "answers": [{"text": text} for text in texts],
        }
        for number, texts in enumerate(golds)
    ]
    return {"version": version, "data": [{"paragraphs": [{"qas": questions}]}]}


GOLDS = [["New York"], [], [], ["the cat"]]
PREDICTIONS = {"q0": "New York City", "q1": "", "q2": "x", "q3": "cat"}
ODDS = {"q0": -3.0, "q1": 2.0, "q2": -1.0, "q3": 0.5}


def test_answerable_and_unanswerable_questions_are_scored_by_hand():
    # F1 of q0 to q3: 0.8, 1, 0, 1.
    assert metrics_v2.score(dataset(GOLDS), PREDICTIONS).official == {
        "exact": 50.0,
        "f1": 70.0,
        "total": 4,
        "HasAns_exact": 50.0,
        "HasAns_f1": 90.0,
        "HasAns_total": 2,
        "NoAns_exact": 50.0,
        "NoAns_f1": 50.0,
        "NoAns_total": 2,
    }


def test_the_best_threshold_is_found_by_hand():
    # All unanswered: 2 of 4 are right. Then q0 adds 0.8 of F1, q2 takes 1, q3 adds 1.
    found = metrics_v2.score(dataset(GOLDS), PREDICTIONS, ODDS).official
    assert (found["exact"], found["f1"]) == (50.0, 70.0)
    assert (found["best_exact"], found["best_exact_thresh"]) == (50.0, 0.0)
    assert (found["best_f1"], found["best_f1_thresh"]) == (70.0, -3.0)


def test_a_question_above_the_threshold_counts_as_unanswered():
    found = metrics_v2.score(dataset(GOLDS), PREDICTIONS, ODDS, -2.0)
    assert found.f1.tolist() == [0.8, 1.0, 1.0, 0.0]
    assert found.exact_match.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert found.has_answer.tolist() == [True, False, False, True]
    assert found.totals() == {"exact_match": 50.0, "f1": 70.0}
    assert (found.official["HasAns_f1"], found.official["NoAns_f1"]) == (40.0, 100.0)
    # On the threshold is not above it.
    assert metrics_v2.score(dataset(GOLDS), PREDICTIONS, ODDS, 0.5).f1[3] == 1.0


@pytest.mark.parametrize(
    ("golds", "answer", "exact", "f1"),
    [
        ([], "", 1, 1),
        ([], "The.", 1, 1),  # normalizes to nothing
        ([], "x", 0, 0),
        (["the"], "", 1, 1),  # no gold answer is left: the only right one is none
        (["the", "x"], "", 0, 0),
        (["the", "x"], "an x", 1, 1.0),
        (["x"], "", 0, 0),
        (["x y", "x"], "x", 1, 1.0),
    ],
)
def test_an_answer_scores_as_in_the_official_script(golds, answer, exact, f1):
    found = metrics_v2.score(dataset([golds]), {"q0": answer}).official
    assert (found["exact"], found["f1"]) == (100.0 * exact, 100.0 * f1)
    assert ("HasAns_total" in found, "NoAns_total" in found) == (bool(golds), not golds)
    assert official_script_v2.evaluate(dataset([golds])["data"], {"q0": answer}) == found


WORDS = ["the", "a", "The", "cat", "b", "b", "C.", "(x)", "“q”", "İ", "ß", ".", "_", "a-n", "\x1f"]
ANSWERS = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=5).map(" ".join)
QUESTIONS = st.lists(
    st.tuples(
        st.lists(ANSWERS, max_size=3),
        ANSWERS | st.just(""),
        st.sampled_from([-2.0, 0.0, 0.5, 1, 1.0]) | st.floats(-9, 9),
        st.booleans(),  # copy a gold answer
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=300)
@given(
    questions=QUESTIONS,
    order=st.randoms(),
    threshold=st.sampled_from([1.0, 0.0, -1.5, 0.5]),
    others=st.booleans(),
)
def test_equal_to_the_official_script_on_any_answers(official, questions, order, threshold, others):
    squad = dataset([golds for golds, *_ in questions])
    predictions = {
        f"q{number}": golds[-1] if copy and golds else answer
        for number, (golds, answer, _, copy) in enumerate(questions)
    }
    numbers = {f"q{number}": odds for number, (_, _, odds, _) in enumerate(questions)}
    numbers = dict(order.sample(list(numbers.items()), len(numbers)))
    if others:
        predictions["elsewhere"] = "x"
        numbers["elsewhere"] = 0.25
    found = metrics_v2.score(squad, predictions)
    assert json.dumps(found.official) == json.dumps(official(squad["data"], predictions))
    found = metrics_v2.score(squad, predictions, numbers, threshold)
    expected = official(squad["data"], predictions, numbers, threshold)
    assert json.dumps(found.official) == json.dumps(expected)
    assert 100 * found.f1.mean() == pytest.approx(found.official["f1"])


@settings(max_examples=100)
@given(questions=QUESTIONS)
def test_no_threshold_is_better_than_the_best(questions):
    squad = dataset([golds for golds, *_ in questions])
    # Before the threshold "The." counts as no answer, in the search for the best as an answer.
    predictions = {
        f"q{number}": answer if metrics.normalize_answer(answer) else ""
        for number, (_, answer, _, _) in enumerate(questions)
    }
    # Numbers of their own: of equal ones the script takes a part, which no threshold does.
    numbers = {f"q{number}": float(number) for number in range(len(questions))}
    best = metrics_v2.score(squad, predictions, numbers).official["best_f1"]
    found = [
        metrics_v2.score(squad, predictions, numbers, threshold).official["f1"]
        for threshold in (-1.0, *numbers.values())
    ]
    assert max(found) == pytest.approx(best)


def test_a_question_without_a_prediction_scores_0():
    scores = metrics_v2.score(dataset(GOLDS), {"q0": "New York", "q1": ""}, {"q0": -1, "q1": 1})
    assert scores.unanswered == ["q2", "q3"]
    assert scores.f1.tolist() == [1.0, 1.0, 0.0, 0.0]
    assert scores.official["best_f1"] == 50.0


@pytest.mark.parametrize(
    ("broken", "predictions", "numbers", "message"),
    [
        (dataset([]), {}, None, "no questions"),
        (dataset([["x"]]), {"q0": 7}, None, "question q0: its prediction is 7; expected text"),
        (dataset([["x"]]), ["x"], None, "expected an object of question ids and answer texts"),
        (dataset([["x"]]), {"q0": "x"}, ["x"], "null odds: expected an object"),
        (dataset([["x"]]), {"q0": "x"}, {"q0": "1"}, "null odds of question q0: '1'; expected a n"),
        (dataset([["x"], []]), {"q0": "x", "q1": ""}, {"q0": 1}, "no number for 1 of the .* q1"),
        (
            {"data": [{"paragraphs": [{"qas": [{"id": "q0"}, {"id": "q0"}]}]}]},
            {},
            None,
            "question q0 is there twice",
        ),
        (
            {"data": [{"paragraphs": [{"qas": [{"id": "q0", "answers": ["x"]}]}]}]},
            {"q0": "x"},
            None,
            "question q0: no gold answers as a list",
        ),
    ],
)
def test_what_cannot_be_scored_is_a_clear_error(broken, predictions, numbers, message):
    with pytest.raises(UserError, match=message):
        metrics_v2.score(broken, predictions, numbers)


def test_a_dataset_is_2_0_by_its_version_or_an_unanswerable_question():
    assert metrics_v2.is_version_2(dataset([["x"]]))
    assert metrics_v2.is_version_2(dataset([["x"], []], version="mine"))
    assert not metrics_v2.is_version_2(dataset([["x"]], version="2.0"))
    assert metrics_v2.scorer(dataset([["x"]], version="1.1")) is metrics.score
    forced = metrics_v2.scorer(dataset([["x"]], version="1.1"), version_2_with_negative=True)
    assert forced is metrics_v2.score


def test_a_dataset_without_any_answer_is_not_labelled():
    unlabelled = dataset([[], []])
    assert metrics_v2.is_labelled(unlabelled)
    for question in unlabelled["data"][0]["paragraphs"][0]["qas"]:
        del question["is_impossible"]
    assert not metrics_v2.is_labelled(unlabelled)
