"""Scores are evaluate-v1.1.py's to the last digit; two systems are compared in pairs."""

import contextlib
import importlib.util
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import official_script
from bertsquad.answers import metrics
from bertsquad.console.errors import UserError

# Answers, exact match and F1 as the official script scores them.
OFFICIAL = [
    ("the cat", "cat", True, 1.0),
    ("the", "a", True, 0),  # both normalize to nothing
    ("", "", True, 0),
    ("_the_", "the", True, 0),
    ("a.n", "an", True, 0),
    ("“Denver”", "Denver", False, 0),  # only ASCII punctuation goes
    ("the-an", "an", False, 0),  # hyphenated words fuse
    ("A-b.", "ab", True, 1.0),
    ("1,000", "1000", True, 1.0),
    ("the\u2003end", "end", True, 1.0),
    ("İstanbul", "istanbul", False, 0),
    ("Straße", "STRASSE", False, 0),
    ("New York City", "New York", False, 0.8),
    ("b b c", "b c c", False, 0.6666666666666666),  # bags, not sets
    ("one two three four five", "two five six", False, 0.5),
]


@pytest.fixture(scope="module", params=["rebuilt", "itself"])
def official(request):
    """What the official script does, rebuilt by the tests, and evaluate-v1.1.py itself."""
    if request.param == "rebuilt":
        return official_script
    root = Path(__file__).resolve().parents[2]
    path = Path(
        os.environ.get("EVALUATE_SCRIPT", root / "results/resources/downloads/evaluate-v1.1.py")
    )
    if not path.is_file():
        pytest.skip(
            f"the official script is not at {path}: set EVALUATE_SCRIPT to its path. Unproven: "
            "that exact match and F1 are those of its own code; the rebuilt one stands for it"
        )
    spec = importlib.util.spec_from_file_location("evaluate_v1_1", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dataset(golds, version="1.1"):
    """A dataset whose questions are q0, q1, ... with these gold answers."""
    questions = [
        {"id": f"q{number}", "answers": [{"text": text} for text in texts]}
        for number, texts in enumerate(golds)
    ]
    return {"version": version, "data": [{"paragraphs": [{"qas": questions}]}]}


def test_golden_normalization(golden):
    assert [metrics.normalize_answer(case["in"]) for case in golden["normalize"]] == [
        case["out"] for case in golden["normalize"]
    ]


def test_golden_f1(golden):
    for case in golden["f1"]:
        assert metrics.f1(case["pred"], case["gold"]) == case["f1"]
        assert metrics.exact_match(case["pred"], case["gold"]) == case["em"]


@pytest.mark.parametrize(("prediction", "gold", "exact", "f1"), OFFICIAL)
def test_an_answer_scores_as_in_the_official_script(prediction, gold, exact, f1):
    assert metrics.exact_match(prediction, gold) is exact
    assert metrics.f1(prediction, gold) == f1
    rebuilt = official_script.evaluate(dataset([[gold]])["data"], {"q0": prediction})
    assert rebuilt == {"exact_match": 100.0 * exact, "f1": 100.0 * f1}


def test_totals_are_percentages_of_all_questions():
    scores = metrics.score(dataset([["New York"], ["b c c"], ["x"]]), {"q0": "New York City"})
    assert scores.totals() == {"exact_match": 0.0, "f1": 100.0 * 0.8 / 3}
    assert scores.unanswered == ["q1", "q2"]


def test_exact_match_and_f1_are_each_the_best_over_the_gold_answers():
    # "the" equals "a" once normalized, which gives no F1; so the two may come from different golds.
    scores = metrics.score(dataset([["a", "the end"]]), {"q0": "the"})
    assert scores.totals() == {"exact_match": 100.0, "f1": 0.0}
    scores = metrics.score(dataset([["x y", "x"]]), {"q0": "x"})
    assert scores.totals() == {"exact_match": 100.0, "f1": 100.0}


def test_predictions_for_other_questions_do_not_count():
    scores = metrics.score(dataset([["x"]]), {"q0": "x", "elsewhere": "y"})
    assert scores.ids == ["q0"]


def test_a_question_without_a_prediction_needs_no_gold_answers():
    assert metrics.score(dataset([[], ["x"]]), {"q1": "x"}).totals()["exact_match"] == 50.0


def test_a_dataset_without_a_version_is_told_so():
    note = metrics.version_note({"data": []})
    assert note is not None
    assert note.startswith("the dataset names no version; evaluate-v1.1.py expects '1.1'")


def test_version_note():
    assert metrics.version_note({"version": "1.1"}) is None
    assert (
        metrics.version_note({"version": "2.0"})
        == "Evaluation expects v-1.1, but got dataset with v-2.0"
    )


@pytest.mark.parametrize(
    ("broken", "predictions", "message"),
    [
        (dataset([]), {}, "no questions"),
        (dataset([[]]), {"q0": "x"}, "question q0: no gold answers"),
        (dataset([["x"]]), {"q0": None}, "question q0: its prediction is None; expected text"),
        (dataset([["x"]]), ["x"], "expected an object of question ids and answer texts"),
        ({"data": [{"paragraphs": [{"qas": [{"answers": []}]}]}]}, {}, "not SQuAD JSON at its be"),
        ({"data": [{}]}, {}, "not SQuAD JSON"),
        ({"data": [{"paragraphs": [{"qas": [{"id": "q0"}, 7]}]}]}, {}, "after question q0"),
        ([], {}, "not SQuAD JSON"),
    ],
)
def test_what_cannot_be_scored_is_a_clear_error(broken, predictions, message):
    with pytest.raises(UserError, match=message):
        metrics.score(broken, predictions)


WORDS = [
    "the",
    "a",
    "an",
    "The",
    "cat",
    "b",
    "b",
    "C.",
    "(x)",
    "—",
    "“q”",
    "Ünï",
    "İ",
    "ﬁ",
    "ß",
    "Σ",
]
ODD_WORDS = ["Σ", "ΑΣ", "_", "a_b", "1,0", "the.", "a-n", "\u00a0", "\u2028", "\x1f", "\ud800"]
ANSWERS = st.lists(st.sampled_from(WORDS + ODD_WORDS) | st.text(max_size=4), max_size=6).flatmap(
    lambda words: st.sampled_from([" ", "", "\t"]).map(lambda space: space.join(words))
)


@settings(max_examples=300)
@given(
    golds=st.lists(st.lists(ANSWERS, min_size=1, max_size=3), min_size=1, max_size=8),
    answers=st.lists(ANSWERS | st.none(), min_size=8, max_size=8),
    copy=st.booleans(),
)
def test_equal_to_the_official_script_on_any_answers(official, golds, answers, copy):
    predictions = {f"q{n}": text for n, text in enumerate(answers) if text is not None}
    if copy:
        predictions["q0"] = golds[0][0]
    expect_official(official, dataset(golds), predictions)


@pytest.mark.real_data
@pytest.mark.parametrize("style", ["gold", "shifted", "passage"])
def test_equal_to_the_official_script_on_squad(official, squad_dir, style):
    squad = json.loads((squad_dir / "dev-v1.1.json").read_text(encoding="utf-8"))
    generator = np.random.default_rng(0)
    predictions = {}
    for article in squad["data"]:
        for paragraph in article["paragraphs"]:
            words = paragraph["context"].split()
            for question in paragraph["qas"]:
                gold = question["answers"][-1]["text"]
                first = int(generator.integers(len(words)))
                predictions[question["id"]] = {
                    "gold": gold,
                    "shifted": gold[2:] + " " + words[first],
                    "passage": " ".join(words[first : first + 5]),
                }[style]
    del predictions[question["id"]]
    expect_official(official, squad, predictions)


def expect_official(official, dataset, predictions):
    messages = io.StringIO()
    with contextlib.redirect_stderr(messages):
        expected = official.evaluate(dataset["data"], predictions)
    scores = metrics.score(dataset, predictions)
    assert json.dumps(scores.totals()) == json.dumps(expected)
    assert messages.getvalue().splitlines() == [
        f"Unanswered question {question_id} will receive score 0."
        for question_id in scores.unanswered
    ]


def test_comparison_counts_changed_answers_and_their_signs():
    golds = [["cat"], ["dog"], ["red fox"], ["owl"]]
    first = {"q0": "cat", "q1": "bird", "q2": "fox", "q3": "the owl"}
    second = {"q0": "cow", "q1": "dog", "q2": "red fox", "q3": "owl"}
    comparison = metrics.compare(dataset(golds), first, second, samples=200)
    assert comparison.changes == {"q0": -1, "q1": 1, "q2": 1, "q3": 0}
    assert (comparison.changed_answers, comparison.better, comparison.worse) == (4, 2, 1)
    assert comparison.exact_match_difference == 25.0
    low, high = comparison.exact_match_interval
    assert low < 25.0 < high


def test_comparison_is_paired():
    # Two systems that differ in 1 of 400 questions: their own intervals are 10 points wide.
    golds = [[str(number)] for number in range(400)]
    first = {f"q{n}": str(n) if n % 2 else "wrong" for n in range(400)}
    comparison = metrics.compare(dataset(golds), first, first | {"q0": "0"})
    low, high = comparison.exact_match_interval
    assert 0 <= low <= 0.25 <= high < 2
    assert comparison.exact_match_sign_test == 1.0  # one answer may be chance
    assert metrics.compare(dataset(golds), first, first).f1_interval == (0.0, 0.0)
