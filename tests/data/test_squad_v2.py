"""Questions without an answer, as in SQuAD 2.0: what is read, trained on and refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from bertsquad.console.errors import UserError
from bertsquad.data import squad
from bertsquad.data.featurization import featurize
from bertsquad.data.parallel import _joined, split
from bertsquad.data.squad import Answer, Question
from bertsquad.data.tokenization import Vocabulary

CONTEXT = "The ferry leaves the old harbour at seven."


def document(*questions: dict[str, Any]) -> dict[str, Any]:
    entries = [{"id": f"q{n}", "question": "When?"} | each for n, each in enumerate(questions)]
    paragraph = {"context": CONTEXT, "qas": entries}
    return {"version": "v2.0", "data": [{"title": "Ferry", "paragraphs": [paragraph]}]}


ANSWERABLE = {"is_impossible": False, "answers": [{"text": "seven", "answer_start": 36}]}
IMPOSSIBLE = {
    "is_impossible": True,
    "answers": [],
    "plausible_answers": [{"text": "seven", "answer_start": 36}],
}


def read(
    *questions: dict[str, Any], purpose: squad.Purpose, negative: bool = False
) -> list[Question]:
    dataset = squad.parse(
        document(*questions),
        source="train.json",
        purpose=purpose,
        version_2_with_negative=negative,
    )
    return list(dataset.questions())


@pytest.mark.parametrize("purpose", ["train", "predict", "score"])
def test_answerable_and_impossible_questions_are_read(purpose: squad.Purpose) -> None:
    assert read(ANSWERABLE, IMPOSSIBLE, purpose=purpose, negative=True) == [
        Question("q0", "When?", (Answer("seven", 36),), False),
        Question("q1", "When?", (), True),
    ]


def test_plausible_answers_may_be_anything() -> None:
    odd = IMPOSSIBLE | {"plausible_answers": 7}
    for purpose in ("train", "predict", "score"):
        assert read(odd, purpose=purpose, negative=True)[0].answers == ()


def test_training_on_an_impossible_question_is_refused_without_the_flag() -> None:
    with pytest.raises(UserError) as caught:
        read(ANSWERABLE, IMPOSSIBLE, purpose="train")
    message = str(caught.value)
    assert message.startswith("train.json: question 'q1' (data[0].paragraphs[0].qas[1]) has no ans")
    assert "set version_2_with_negative: true in the dataset's entry" in message
    assert len(message) < 300


@pytest.mark.parametrize("answers", [{}, {"answers": []}, {"answers": None}])
def test_no_answers_and_no_flag_are_trained_as_none(answers: dict[str, Any]) -> None:
    assert read(answers, purpose="train", negative=True) == [Question("q0", "When?", (), True)]


def test_an_impossible_question_is_trained_without_the_answers_it_has() -> None:
    # run_squad.py looks at is_impossible first.
    both = ANSWERABLE | {"is_impossible": True}
    assert read(both, purpose="train", negative=True) == [Question("q0", "When?", (), True)]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"is_impossible": False, "answers": []}, "has no answer, and is_impossible is false"),
        (IMPOSSIBLE | {"is_impossible": "no"}, "'is_impossible' is text; expected true or false"),
        ({"answers": ANSWERABLE["answers"] * 2}, "has 2 answers; training needs exactly one"),
        ({"answers": {"text": ["seven"]}}, "'answers' is an object; expected a list"),
    ],
)
def test_what_contradicts_itself_is_refused(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match="question 'q0'") as caught:
        read(entry, purpose="train", negative=True)
    assert message in str(caught.value)


def test_to_score_only_an_impossible_question_may_lack_answers() -> None:
    with pytest.raises(UserError, match=r"expected at least one .* or is_impossible true"):
        read({"answers": []}, purpose="score")
    both = ANSWERABLE | {"is_impossible": True}
    assert read(both, purpose="score")[0].answers == (Answer("seven", 36),)


def features_of(*questions: dict[str, Any], vocabulary: Vocabulary, **options: Any) -> Any:
    dataset = squad.parse(
        document(*questions), source="train.json", purpose="train", version_2_with_negative=True
    )
    lengths = {"max_seq_length": 10, "doc_stride": 3, "max_query_length": 4}
    return featurize(dataset, vocabulary, training=True, **lengths)


def test_every_window_of_an_impossible_question_points_at_cls(uncased_vocab: Path) -> None:
    vocabulary = Vocabulary(uncased_vocab)
    features = features_of(ANSWERABLE, IMPOSSIBLE, vocabulary=vocabulary)
    question = features.feature_question.tolist()
    windows = question.count(0)
    assert windows > 1
    assert question == [0] * windows + [1] * windows
    assert features.start_position.tolist()[:windows] != [0] * windows
    assert features.start_position.tolist()[windows:] == [0] * windows
    assert features.end_position.tolist()[windows:] == [0] * windows
    assert features.metadata["skipped"] == {}
    assert features.metadata["impossible"] == 1


def test_a_file_without_impossible_questions_has_the_same_features(uncased_vocab: Path) -> None:
    vocabulary = Vocabulary(uncased_vocab)
    features = features_of(ANSWERABLE, vocabulary=vocabulary)
    assert "impossible" not in features.metadata
    plain = document(ANSWERABLE)
    del plain["data"][0]["paragraphs"][0]["qas"][0]["is_impossible"]
    lengths = {"max_seq_length": 10, "doc_stride": 3, "max_query_length": 4}
    dataset = squad.parse(plain, source="train.json", purpose="train")
    expected = featurize(dataset, vocabulary, training=True, **lengths)
    assert features.metadata == expected.metadata
    assert {name: a.tobytes() for name, a in features.arrays.items()} == {
        name: a.tobytes() for name, a in expected.arrays.items()
    }


def test_parts_count_their_impossible_questions_together(uncased_vocab: Path) -> None:
    vocabulary = Vocabulary(uncased_vocab)
    value = document(ANSWERABLE, IMPOSSIBLE)
    more = json.loads(json.dumps(value["data"][0]).replace('"id": "q', '"id": "r'))
    more["paragraphs"][0]["context"] += " It is often late."  # so that the passages are two parts
    value["data"].append(more)
    dataset = squad.parse(value, source="x", purpose="train", version_2_with_negative=True)
    lengths = {"max_seq_length": 10, "doc_stride": 3, "max_query_length": 4}
    whole = featurize(dataset, vocabulary, training=True, **lengths)
    parts = [featurize(p, vocabulary, training=True, **lengths) for p in split(dataset, 2)]
    assert len(parts) == 2
    assert _joined(parts).metadata == whole.metadata
    assert whole.metadata["impossible"] == 2
