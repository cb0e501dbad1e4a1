"""scores.py: F1 of both runs, paired, on the same questions."""

import pytest

from bertsquad.certificate.compare.scores import check_questions, f1, paired
from bertsquad.certificate.compare.sides import opened
from bertsquad.console.errors import UserError
from bertsquad.files import write_json
from made_runs import DEV, MODEL, answers, certify, dataset, results, side

DEV_SIZE = 10_570  # questions of SQuAD 1.1's dev set


def verdict(first, second, margin=0.1, questions=300):
    return paired("m", dataset(questions), first, second, margin)


def test_one_other_answer_of_squad_is_equivalent():
    wrong = range(0, DEV_SIZE, 9)
    found = paired(
        "m", dataset(DEV_SIZE, 48), answers(DEV_SIZE, wrong), answers(DEV_SIZE, {*wrong, 1})
    )
    assert found["verdict"] == "equivalent"
    assert found["changed_answers"] == 1
    low, high = found["interval"]
    assert -0.1 <= low <= found["difference"] <= high <= 0.1


def test_other_words_of_equal_f1_are_equal():
    first = answers(300, range(9))
    assert verdict(first, first | {"q0": "nothing at all"})["verdict"] == "equal"


def test_many_worse_answers_differ():
    found = verdict(answers(300), answers(300, range(60)))
    assert found["verdict"] == "differs"
    assert found["difference"] == pytest.approx(-20)
    assert "60 of 300 answers changed, 0 for the better, 60 for the worse" in found["sentence"]


def test_few_questions_cannot_tell():
    assert verdict(answers(300, {0, 1}), answers(300, {2, 3, 4}))["verdict"] == "can't tell"


def test_a_wider_margin_makes_more_equivalent():
    assert verdict(answers(300, {0}), answers(300, {1}), margin=5)["verdict"] == "equivalent"


def test_other_questions_are_refused_in_one_line():
    with pytest.raises(UserError, match=r"^other questions: 300 in A, 299 in B, 'q299' only in A"):
        check_questions(answers(300), answers(299))


def test_questions_without_answers_cannot_be_scored():
    unlabelled = {"version": "1.1", "data": [{"paragraphs": [{"qas": [{"id": "q0"}]}]}]}
    with pytest.raises(UserError, match="no question of the dataset has an answer"):
        paired("m", unlabelled, {"q0": "a"}, {"q0": "b"})


@pytest.fixture
def two(tmp_path):
    return results(tmp_path / "a"), results(tmp_path / "b", wrong=range(30))


def compared(two, **options):
    with opened("A", two[0]) as a, opened("B", two[1]) as b:
        return f1(a, b, **options)


def test_the_questions_are_those_that_a_step_recorded(two):
    answer, (row,) = compared(two)
    assert answer.verdict == "differs"
    assert row["model"] == MODEL
    assert row["difference"] == pytest.approx(-45)


def test_the_other_run_s_questions_do_where_one_lacks_them(two):
    (two[0] / DEV).unlink()
    assert compared(two)[0].verdict == "differs"


def test_without_questions_it_is_said_how_to_give_them(two, tmp_path):
    for folder in two:
        (folder / DEV).write_text("{}")  # not those that were recorded
    answer, _ = compared(two)
    assert answer.verdict == "can't tell"
    assert f"{DEV} is not at hand: give it by --dataset" in answer.evidence[0]
    given = tmp_path / "dev.json"
    write_json(given, dataset())
    assert compared(two, dataset=given)[0].verdict == "differs"


def test_certificates_alone_cannot_tell_where_answers_differ(two):
    with opened("A", two[0]) as a, opened("B", two[1] / "certificate.json") as b:
        answer, _ = f1(a, b)
    assert answer.verdict == "can't tell"
    assert "those of B are not at hand" in answer.evidence[0]


def test_certificates_alone_tell_where_answers_are_the_same():
    assert f1(side("A"), side("B"))[0].verdict == "equal"


def test_predictions_of_other_questions_are_the_evidence(two):
    write_json(two[1] / MODEL / "predictions.json", answers(40))
    certify(two[1])
    answer, _ = compared(two)
    assert answer.verdict == "can't tell"
    assert answer.evidence[0].startswith(f"{MODEL}: other questions: 60 in A, 40 in B")
