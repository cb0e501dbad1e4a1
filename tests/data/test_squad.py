"""Reading SQuAD: what is accepted, and the one clear line for what is not."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.console.errors import UserError
from bertsquad.data import squad
from bertsquad.data.squad import Answer, Question

CONTEXT = "The leader was John Smith (1895-1943)."


def document() -> dict[str, Any]:
    return {
        "version": "1.1",
        "data": [
            {
                "title": "Leaders",
                "paragraphs": [
                    {
                        "context": CONTEXT,
                        "qas": [
                            {
                                "id": "q1",
                                "question": "Who led?",
                                "answers": [{"text": "John Smith", "answer_start": 15}],
                            },
                            {
                                "id": "q2",
                                "question": "When was he born?",
                                "answers": [{"text": "1895", "answer_start": 27}],
                            },
                        ],
                    }
                ],
            }
        ],
    }


def loaded(value: Any, tmp_path: Path, purpose: squad.Purpose = "score") -> squad.Dataset:
    path = tmp_path / "dev.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return squad.load(path, purpose=purpose)


def test_paragraphs_questions_and_answers_in_file_order(tmp_path: Path) -> None:
    dataset = loaded(document(), tmp_path)
    assert dataset.version == "1.1"
    assert dataset.source == str(tmp_path / "dev.json")
    (paragraph,) = dataset.paragraphs
    assert (paragraph.title, paragraph.context) == ("Leaders", CONTEXT)
    assert list(dataset.questions()) == [
        Question("q1", "Who led?", (Answer("John Smith", 15),)),
        Question("q2", "When was he born?", (Answer("1895", 27),)),
    ]


def test_several_answers_are_kept_for_scoring(tmp_path: Path) -> None:
    value = document()
    question(value)["answers"].append({"text": "Smith", "answer_start": 20})
    first = next(loaded(value, tmp_path).questions())
    assert first.answers == (Answer("John Smith", 15), Answer("Smith", 20))


def test_other_keys_and_a_missing_title_do_not_matter(tmp_path: Path) -> None:
    value = document()
    del value["data"][0]["title"]
    question(value)["is_impossible"] = False
    assert loaded(value, tmp_path).paragraphs[0].title == ""


def test_what_no_step_needs_may_be_anything(tmp_path: Path) -> None:
    value = document()
    value["version"] = 2.0
    value["data"][0]["title"] = None
    paragraph(value)["document_id"] = 7731
    value["data"][0]["paragraphs"].insert(0, {"context": " ", "qas": []})
    for purpose in ("train", "predict", "score"):
        dataset = loaded(value, tmp_path, purpose=purpose)
        assert (dataset.version, dataset.paragraphs[1].title) == ("", "")
        assert [each.id for each in dataset.questions()] == ["q1", "q2"]
    del value["version"]
    assert loaded(value, tmp_path).version == ""


def test_a_whole_number_is_an_id(tmp_path: Path) -> None:
    value = document()
    question(value)["id"] = 40213
    assert next(loaded(value, tmp_path).questions()).id == "40213"
    question(value, 1)["id"] = "40213"
    with pytest.raises(UserError, match="question id '40213' is at"):
        loaded(value, tmp_path)


@pytest.mark.parametrize(
    "answers",
    [None, [], "John Smith", {"text": ["John"], "answer_start": [15]}, [{"answer_start": 3}, 7]],
)
def test_predicting_needs_no_answers(answers: Any, tmp_path: Path) -> None:
    value = document()
    question(value)["answers"] = answers
    assert next(loaded(value, tmp_path, purpose="predict").questions()).answers == ()
    del question(value)["answers"]
    assert next(loaded(value, tmp_path, purpose="predict").questions()).answers == ()


@pytest.mark.parametrize("start", [None, "27", True, -1])
def test_only_training_needs_offsets(start: Any, tmp_path: Path) -> None:
    value = document()
    question(value, 1)["answers"][0]["answer_start"] = start
    for purpose in ("predict", "score"):
        dataset = loaded(value, tmp_path, purpose=purpose)
        assert list(dataset.questions())[1].answers == (Answer("1895", -1),)
        assert squad.misplaced(dataset) == []


def test_training_may_lack_an_answer(tmp_path: Path) -> None:
    value = document()
    question(value)["answers"] = []
    assert next(loaded(value, tmp_path, purpose="train").questions()).answers == ()


def question(value: dict[str, Any], number: int = 0) -> dict[str, Any]:
    return value["data"][0]["paragraphs"][0]["qas"][number]


def paragraph(value: dict[str, Any]) -> dict[str, Any]:
    return value["data"][0]["paragraphs"][0]


# What is done to the document above, and what the message says about it.
BAD = {
    "no data": (lambda d: d.pop("data"), "the top level has no 'data'"),
    "data is an object": (
        lambda d: d.update(data={}),
        "the top level: 'data' is an object; expected a list",
    ),
    "no questions": (lambda d: d.update(data=[]), "no question in the file"),
    "article is null": (
        lambda d: d["data"].append(None),
        "data[1] is null; expected an object with 'paragraphs'",
    ),
    "no paragraphs": (lambda d: d["data"][0].pop("paragraphs"), "data[0] has no 'paragraphs'"),
    "no context": (
        lambda d: paragraph(d).pop("context"),
        "data[0].paragraphs[0] has no 'context'",
    ),
    "empty context": (
        lambda d: paragraph(d).update(context=" \n\u00a0"),
        "data[0].paragraphs[0].context is empty",
    ),
    "context is a list": (
        lambda d: paragraph(d).update(context=["a"]),
        "data[0].paragraphs[0]: 'context' is a list; expected text",
    ),
    "no qas": (lambda d: paragraph(d).pop("qas"), "data[0].paragraphs[0] has no 'qas'"),
    "no id": (
        lambda d: question(d, 1).pop("id"),
        "data[0].paragraphs[0].qas[1] has no 'id'; expected SQuAD 1.1's format",
    ),
    "an id that is a fraction": (
        lambda d: question(d, 1).update(id=7.5),
        "data[0].paragraphs[0].qas[1]: 'id' is a number; expected text",
    ),
    "empty id": (
        lambda d: question(d, 1).update(id=""),
        "data[0].paragraphs[0].qas[1].id is empty",
    ),
    "duplicate id": (
        lambda d: question(d, 1).update(id="q1"),
        "question id 'q1' is at data[0].paragraphs[0].qas[0] and again at "
        "data[0].paragraphs[0].qas[1]",
    ),
    "no question": (
        lambda d: question(d, 1).pop("question"),
        "question 'q2' (data[0].paragraphs[0].qas[1]) has no 'question'",
    ),
    "no answers": (
        lambda d: question(d, 1).pop("answers"),
        "question 'q2' (data[0].paragraphs[0].qas[1]) has no 'answers'",
    ),
    "empty answers": (
        lambda d: question(d, 1).update(answers=[]),
        "question 'q2' (data[0].paragraphs[0].qas[1]) has no answer; expected at least one",
    ),
    "answer is text": (
        lambda d: question(d, 1).update(answers=["1895"]),
        "question 'q2' (data[0].paragraphs[0].qas[1]), answers[0] is text; expected an object",
    ),
    "no answer text": (
        lambda d: question(d, 1).update(answers=[{"answer_start": 3}]),
        "question 'q2' (data[0].paragraphs[0].qas[1]), answers[0] has no 'text'",
    ),
    "half a character": (
        lambda d: question(d, 1).update(question="Who \ud83d?"),
        "'question' has half a surrogate pair (\\ud83d) at character 4",
    ),
}


# What only training needs.
BAD_TO_TRAIN_ON = {
    "no answer_start": (
        lambda d: question(d, 1)["answers"][0].pop("answer_start"),
        "question 'q2' (data[0].paragraphs[0].qas[1]), answers[0] has no 'answer_start'",
    ),
    "answer_start is text": (
        lambda d: question(d, 1)["answers"][0].update(answer_start="27"),
        "answers[0]: 'answer_start' is text; expected a whole number",
    ),
    "answer_start is true": (
        lambda d: question(d, 1)["answers"][0].update(answer_start=True),
        "answers[0]: 'answer_start' is true or false; expected a whole number",
    ),
    "negative answer_start": (
        lambda d: question(d, 1)["answers"][0].update(answer_start=-1),
        "answers[0]: 'answer_start' is -1; expected 0 or more",
    ),
}


@pytest.mark.parametrize("case", [*BAD, *BAD_TO_TRAIN_ON])
def test_bad_json_is_one_line_that_names_the_file_and_the_place(case: str, tmp_path: Path) -> None:
    change, message = BAD.get(case) or BAD_TO_TRAIN_ON[case]
    value = document()
    change(value)
    with pytest.raises(UserError) as caught:
        loaded(value, tmp_path, purpose="train" if case in BAD_TO_TRAIN_ON else "score")
    assert str(caught.value).startswith(f"{tmp_path / 'dev.json'}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"version": "1.1", "data": [', "not valid JSON at line 1, column 29"),
        ("", "an empty file; expected JSON"),
        ("[]", "the top level is a list; expected an object with 'data'"),
        ("[" * 100_000, "JSON that cannot be read"),
        ("1" * 5000, "JSON that cannot be read"),
        ('{"version": "1.1", "data": NaN}', "JSON that cannot be read: NaN is no number of JSON"),
    ],
)
def test_malformed_json(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dev\.json: ") as caught:
        loaded(text, tmp_path)
    assert message in str(caught.value)


FLAT = {"id": "h1", "context": CONTEXT, "question": "Who?", "answers": {"text": ["John"]}}


@pytest.mark.parametrize("value", [{"version": "1.1", "data": [FLAT]}, [FLAT, FLAT], FLAT])
def test_flat_questions_get_their_own_sentence(value: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"these are flat questions, .* SQuAD's nesting"):
        loaded(value, tmp_path)


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    plain = loaded(document(), tmp_path)
    assert loaded("\ufeff" + json.dumps(document()), tmp_path) == plain


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "dev.json"
    path.write_bytes(b'{"version": "\xff"}')
    with pytest.raises(UserError, match="not UTF-8 text"):
        squad.load(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train\.json: no such file"):
        squad.load(tmp_path / "train.json", purpose="train")


def test_training_on_a_question_with_two_answers_is_refused(tmp_path: Path) -> None:
    value = document()
    question(value, 1)["answers"] *= 2
    with pytest.raises(UserError, match=r"question 'q2' .* has 2 answers; .*is this the dev file"):
        loaded(value, tmp_path, purpose="train")


def test_answers_that_are_not_where_they_should_be_are_found(tmp_path: Path) -> None:
    value = document()
    assert squad.misplaced(loaded(value, tmp_path)) == []
    question(value, 0)["answers"][0]["answer_start"] = 16
    question(value, 1)["answers"][0] = {"text": "1943", "answer_start": 10**30}
    assert squad.misplaced(loaded(value, tmp_path)) == ["q1", "q2"]


JSON_VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just(CONTEXT[:9])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["data", "paragraphs", "qas", "id", "answers", "text", "x"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Where something can be replaced or removed in a JSON value."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [p for key, inner in items for p in [(*path, key), *places(inner, (*path, key))]]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """The document above with up to three values replaced, removed or doubled anywhere."""
    value = document()
    for _ in range(draw(st.integers(0, 3))):
        if not places(value):
            break
        *path, last = draw(st.sampled_from(places(value)))
        target = value
        for key in path:
            target = target[key]
        kind = draw(st.sampled_from(["replace", "remove", "double"]))
        if kind == "replace":
            target[last] = draw(JSON_VALUES)
        elif kind == "remove":
            del target[last]
        elif isinstance(target, list):
            target.append(copy.deepcopy(target[last]))
    return value


@given(st.one_of(mutated(), JSON_VALUES), st.sampled_from(["train", "predict", "score"]))
def test_any_json_loads_or_is_a_user_error(value: Any, purpose: squad.Purpose) -> None:
    try:
        dataset = squad.parse(value, source="dev.json", purpose=purpose)
    except UserError as error:
        message = str(error)
    else:
        message = "dev.json: loaded"
        ids = [question.id for question in dataset.questions()]
        assert len(ids) == len(set(ids)) > 0
        assert all(each.context.strip() for each in dataset.paragraphs if each.questions)
    assert message.startswith("dev.json: ")


@pytest.mark.slow
@pytest.mark.real_data
def test_real_squad(squad_dir: Path) -> None:
    dev = squad.load(squad_dir / "dev-v1.1.json")
    assert (len(dev.paragraphs), sum(1 for _ in dev.questions())) == (2067, 10570)
    assert sum(len(question.answers) for question in dev.questions()) == 34726
    train = squad.load(squad_dir / "train-v1.1.json", purpose="train")
    assert (len(train.paragraphs), sum(1 for _ in train.questions())) == (18896, 87599)
    assert squad.misplaced(dev) == squad.misplaced(train) == []
