"""Example questions: chosen evenly, scored as the official script scores."""

from bertsquad.data.squad import Answer, Dataset, Paragraph, Question
from bertsquad.reporting.page.examples import CONTEXT, around, choose, evenly


def dataset(count):
    """Paragraph n says `... the answer is number n.`"""
    paragraphs = []
    for number in range(count):
        context = f"Of all things, the answer is number {number}."
        start = context.index("number")
        answer = Answer(f"number {number}", start)
        question = Question(f"q{number}", f"What is answer {number}?", (answer, answer))
        paragraphs.append(Paragraph("A_Title", context, (question,)))
    return Dataset("1.1", tuple(paragraphs))


def predictions(count, wrong=()):
    return {f"q{n}": "nothing" if n in wrong else f"the Number {n}" for n in range(count)}


def test_right_means_exact_match_after_normalization():
    chosen = choose(dataset(1), {"q0": "the Number 0."}, 1)
    assert chosen[0].right
    assert chosen[0].overlap == 1.0
    assert chosen[0].gold == ("number 0",)
    assert chosen[0].title == "A Title"


def test_half_of_the_examples_are_wrong_where_there_are_enough():
    chosen = choose(dataset(20), predictions(20, wrong=range(0, 20, 2)), 6)
    assert [example.right for example in chosen].count(False) == 3
    assert len({example.question for example in chosen}) == 6


def test_few_wrong_answers_leave_room_for_right_ones():
    chosen = choose(dataset(20), predictions(20, wrong=[3]), 6)
    assert [example.right for example in chosen].count(True) == 5


def test_few_right_answers_leave_room_for_wrong_ones():
    chosen = choose(dataset(20), predictions(20, wrong=range(19)), 6)
    assert [example.right for example in chosen].count(False) == 5


def test_fewer_questions_than_asked_for_are_all_shown():
    assert len(choose(dataset(2), predictions(2), 6)) == 2
    assert choose(dataset(2), {}, 6) == []


def test_the_choice_repeats():
    arguments = dataset(50), predictions(50, wrong=range(0, 50, 3)), 6
    assert choose(*arguments) == choose(*arguments)


def test_the_answer_is_marked_in_its_passage():
    before, marked, after = around("Of all things, this.", Answer("all", 3))
    assert (before, marked, after) == ("Of ", "all", " things, this.")


def test_long_passages_are_cut_at_spaces():
    context = "word " * 100 + "ANSWER" + " word" * 100
    before, marked, after = around(context, Answer("ANSWER", 500))
    assert marked == "ANSWER"
    assert before.startswith("… word ")
    assert after.endswith(" word …")
    assert len(before) <= CONTEXT + 2
    assert len(after) <= CONTEXT + 2


def test_evenly_takes_the_middles_of_equal_parts():
    assert evenly(list(range(9)), 3) == [1, 4, 7]
    assert evenly([1, 2], 3) == [1, 2]
    assert evenly([1, 2], 0) == []


def test_a_question_without_an_answer_is_right_where_nothing_is_predicted():
    question = Question("q0", "How many dogs?", (), is_impossible=True)
    blind = Question("q1", "How many cats?", ())
    paragraph = Paragraph("A", "The mill has three cats.", (question, blind))
    squad = Dataset("v2.0", (paragraph,))
    (shown,) = choose(squad, {"q0": "", "q1": ""}, 6)
    assert (shown.right, shown.overlap, shown.gold) == (True, 1.0, ())
    assert (shown.before, shown.marked, shown.after) == ("", "", "The mill has three cats.")
    (shown,) = choose(squad, {"q0": "three", "q1": ""}, 6)
    assert (shown.right, shown.overlap) == (False, 0.0)
