"""comparison.json as the report reads it."""

import json

import pytest

from bertsquad.console.errors import UserError
from bertsquad.reporting.summary.comparisons import comparison_row, read_change
from fake_results import Results, add_comparison


@pytest.fixture
def path(tmp_path):
    results = Results(tmp_path)
    add_comparison(results, "guide", "openvino-int8", 0.98, changed=30, logits=1.5)
    return results.comparisons[0]


def rewrite(path, **changes):
    data = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: of for name, of in data.items() if of != "drop"}))


def test_the_row_of_the_summary(path):
    assert comparison_row(path) == {
        "source": path,
        "run": "guide",
        "engine": "openvino",
        "precision": "int8",
        "reference": "torch-fp32",
        "f1_share": 0.98,
        "changed_answers": 30,
        "max_logit_difference": 1.5,
        "minimum_f1_share": 0.99,
        "passed": False,
        "gate": "failed",
    }


def test_changed_answers_come_in_the_files_order(path):
    change = read_change(path)
    assert len(change.examples) == 20
    assert change.examples[0].question == "Who took the 1. place?"
    assert (change.examples[0].answer, change.examples[0].f1) == ("mayor of Ulm", 0.5)


def test_a_question_that_one_side_did_not_answer_has_an_empty_answer(path):
    example = {"question": "Who?", "answer": None, "reference_answer": "Ada", "gold_answers": []}
    rewrite(path, examples=[example | {"f1": 0.0, "reference_f1": 1.0}])
    assert read_change(path).examples[0].answer == ""


def test_what_a_kind_of_machine_changes_is_known_by_its_folder(tmp_path, path):
    results = Results(tmp_path)
    add_comparison(results, "guide", "torch-bf16", 0.999, changed=2, machine="half")
    change = read_change(results.comparisons[0])
    assert (change.run, change.engine, change.precision) == ("guide", "torch", "bf16")
    assert (change.machine, change.numbers["changed_answers"]) == ("half", 2)
    assert read_change(path).machine == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine": "torch"}, "`engine` is 'torch' in the file but 'openvino' in its path"),
        ({"changed_answers": None}, "`changed_answers` is None, expected a number"),
        ({"passed": "drop"}, r"not what compare_answers.py writes \(KeyError\('passed'\)\)"),
        ({"examples": [{}]}, "not what compare_answers.py writes"),
        ({"f1_difference_interval": [0]}, "not what compare_answers.py writes"),
    ],
)
def test_another_file_is_named(path, changes, message):
    rewrite(path, **changes)
    with pytest.raises(UserError, match=message) as caught:
        read_change(path)
    assert "comparison.json" in str(caught.value)
