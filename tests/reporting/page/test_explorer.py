"""The question explorer's files: scripts that hold every question with everybody's answers."""

import json
import re

import pytest

from bertsquad.answers.metrics import score
from bertsquad.console.errors import UserError
from bertsquad.reporting.page import explorer
from fake_results import write


def question(id, text, *gold, start=-1):
    answers = [{"text": each, "answer_start": start} for each in gold]
    return {"id": id, "question": text, "answers": answers}


def squad_file(folder, *paragraphs, name="dev.json"):
    data = [{"title": "A_town", "paragraphs": [{"context": c, "qas": q} for c, q in paragraphs]}]
    return write(folder / name, {"version": "1.1", "data": data})


def answered(folder, run, model, predictions, nbest=None):
    path = write(folder / run / model / "predictions.json", predictions)
    if nbest is not None:
        write(folder / run / model / "nbest_predictions.json", nbest)
    return path


def read(path):
    """Name and data of a script file."""
    name, data = re.fullmatch(
        r'bertsquadQuestions\("([a-z0-9-]+)",(.*)\);\n', path.read_text(encoding="utf-8"), re.S
    ).groups()
    return name, json.loads(data)


@pytest.fixture
def small(tmp_path):
    """Two questions, two models; the second question's passage begins with a rare letter."""
    passages = (
        ("By Ada in 1843.", [question("q1", "Who?", "Ada", "Ada", "By Ada", start=3)]),
        ("\U00010330 Ada came.", [question("q2", "Who came?", "Ada", start=2)]),
    )
    dataset = squad_file(tmp_path, *passages)
    best = {"q1": [{"text": "Ada", "probability": 0.9}, {"text": "in", "probability": 0.00001}]}
    first = answered(tmp_path, "a", "torch-fp32", {"q1": "Ada", "q2": "Ada came"}, best)
    second = answered(tmp_path, "a", "openvino-int8", {"q1": "in 1843"})
    folder = tmp_path / "questions"
    assert explorer.write(folder, [explorer.read(dataset, [first, second])]) == 2
    return folder


def test_the_index_holds_what_is_searched_and_filtered(small):
    name, index = read(small / "index.js")
    assert name == "index"
    assert index == {
        "block": 100,
        "datasets": ["dev.json"],
        "models": [
            {"name": "a, torch fp32", "dataset": 0},
            {"name": "a, openvino int8", "dataset": 0},
        ],
        "titles": ["A town"],
        "id": ["q1", "q2"],
        "text": ["Who?", "Who came?"],
        "dataset": [0, 0],
        "title": [0, 0],
        "words": [4, 3],
        "gold": [["Ada", "By Ada"], ["Ada"]],
        "answers": [["Ada", "in 1843"], ["Ada came"]],
        "f1": [[1.0, 0.0], [round(2 / 3, 9)]],
        "exact": [[1, 0], [0]],
        "gave": [[0, 1], [0, -1]],
    }


def test_a_block_holds_passages_places_in_utf_16_and_n_best_lists(small):
    name, block = read(small / "block-0.js")
    assert name == "block-0"
    assert block["passages"] == ["By Ada in 1843.", "\U00010330 Ada came."]
    assert block["questions"] == [
        {"passage": 0, "gold": [[3, 6], [3, 9]], "texts": ["Ada"], "nbest": [[[0, 0.9]], []]},
        {"passage": 1, "gold": [[3, 6]], "texts": [], "nbest": [[], []]},
    ]


def test_the_scores_are_those_of_the_metrics(tmp_path):
    dataset = squad_file(
        tmp_path,
        *(
            (f"In {n} she saw the old sea.", [question(f"q{n}", "?", "the old sea", "sea")])
            for n in range(7)
        ),
    )
    given = {
        f"q{n}": text for n, text in enumerate(("sea", "old sea", "In 2", "The sea!", "", "x"))
    }
    predictions = answered(tmp_path, "a", "torch-fp32", given)
    explorer.write(tmp_path / "questions", [explorer.read(dataset, [predictions])])
    _, index = read(tmp_path / "questions" / "index.js")
    totals = score(json.loads(dataset.read_text()), given).totals()
    for name, key in (("f1", "f1"), ("exact", "exact_match")):
        rows = zip(index["gave"], index[name], strict=True)
        values = [scores[gave] if gave >= 0 else 0 for (gave,), scores in rows]
        assert 100 * sum(values) / 7 == pytest.approx(totals[key])


@pytest.mark.parametrize(
    ("answer", "gold", "expected"),
    [
        ("the Sea", ["sea"], (1.0, 1)),
        ("old sea", ["sea", "old"], (round(2 / 3, 9), 0)),
        ("", [], (1.0, 1)),
        ("sea", [], (0.0, 0)),
        ("", ["sea"], (0.0, 0)),
    ],
)
def test_a_question_without_an_answer_is_answered_right_by_nothing(answer, gold, expected):
    assert explorer.scored(answer, gold) == expected


def test_two_datasets_are_asked_of_their_own_models(tmp_path):
    asked = []
    for name, run in (("one.json", "a"), ("two.json", "b")):
        dataset = squad_file(tmp_path, ("Ada.", [question("q", "Who?", "Ada")]), name=name)
        predictions = answered(tmp_path, run, "torch-fp32", {"q": "Ada"})
        asked.append(explorer.read(dataset, [predictions]))
    explorer.write(tmp_path / "questions", asked)
    _, index = read(tmp_path / "questions" / "index.js")
    assert index["datasets"] == ["one.json", "two.json"]
    assert index["gave"] == [[0, None], [None, 0]]


def test_questions_are_cut_into_blocks_and_old_ones_go(tmp_path):
    many = [question(f"q{n}", "Who?", "Ada") for n in range(201)]
    predictions = answered(tmp_path, "a", "torch-fp32", {"q0": "Ada"})
    folder = tmp_path / "questions"
    explorer.write(folder, [explorer.read(squad_file(tmp_path, ("By Ada.", many)), [predictions])])
    assert sorted(path.name for path in folder.iterdir()) == [
        *("block-0.js", "block-1.js", "block-2.js", "index.js")
    ]
    few = squad_file(tmp_path, ("By Ada.", many[:1]))
    explorer.write(folder, [explorer.read(few, [predictions])])
    assert sorted(path.name for path in folder.iterdir()) == ["block-0.js", "index.js"]


@pytest.mark.parametrize(
    "nbest", [[], {"q": [{"text": "Ada"}]}, {"q": [{"text": "Ada", "probability": "much"}]}]
)
def test_damaged_n_best_answers_are_named(tmp_path, nbest):
    dataset = squad_file(tmp_path, ("By Ada.", [question("q", "Who?", "Ada")]))
    predictions = answered(tmp_path, "a", "torch-fp32", {"q": "Ada"}, nbest)
    with pytest.raises(UserError, match=r"nbest_predictions\.json: not the n-best answers"):
        explorer.read(dataset, [predictions])


def test_predictions_that_are_no_texts_are_named(tmp_path):
    dataset = squad_file(tmp_path, ("By Ada.", [question("q", "Who?", "Ada")]))
    with pytest.raises(UserError, match=r"predictions\.json: expected an object"):
        explorer.read(dataset, [answered(tmp_path, "a", "torch-fp32", {"q": 1})])
