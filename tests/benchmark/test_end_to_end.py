"""From texts to answers: passes, the model alone beside each, and which questions."""

import json

import numpy as np
import pytest

from benchmark.stand_ins import FakeClock
from bertsquad.answers.pipeline import Limits, Windows
from bertsquad.benchmark.end_to_end import (
    EndToEndMeasurement,
    measure,
    questions_at_hand,
    shares,
)
from bertsquad.console.errors import UserError
from bertsquad.data import squad
from bertsquad.data.batching import by_length, by_tokens
from bertsquad.data.tokenization import Vocabulary
from bertsquad.engines import Answered
from bertsquad.files import sha256


def document(paragraphs):
    """So many paragraphs with two questions each."""
    answers = [{"text": "a", "answer_start": 0}]
    return {
        "version": "1.1",
        "data": [
            {
                "title": "",
                "paragraphs": [
                    {
                        "context": "a b a",
                        "qas": [
                            {"id": f"{p}-{q}", "question": "b", "answers": answers}
                            for q in range(2)
                        ],
                    }
                    for p in range(paragraphs)
                ],
            }
        ],
    }


class Engine:
    """Takes 10 ms for a feature; counts the features of every stream."""

    name, precision, threads = "stand-in", "fp32", 1

    def __init__(self, clock):
        self.clock = clock
        self.streams = []

    def plan(self, lengths):
        return by_tokens(by_length(lengths), lengths, 40)

    def stream(self, batches):
        self.streams.append(0)
        for batch in batches:
            self.clock.pass_ms(10 * len(batch))
            self.streams[-1] += len(batch)
            yield Answered(batch, *np.zeros((2, batch.tokens), np.float32))


@pytest.fixture
def vocabulary(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n")
    return Vocabulary(path)


def measured(vocabulary, **options):
    clock = FakeClock()
    engine = Engine(clock)
    measurement = measure(
        lambda: engine,
        squad.parse(document(10), source="made-up.json"),
        vocabulary,
        windows=Windows(32, 8, 8),
        limits=Limits(5, 6),
        clock=clock,
        **{"warmup": 2, "passes": 2, **options},
    )
    return measurement, engine


def test_every_pass_is_followed_by_the_same_batches_through_the_engine_alone(vocabulary):
    measurement, engine = measured(vocabulary)
    first, all_shapes, warm_up = 2, 20, 4
    assert engine.streams == [first, all_shapes, warm_up, 20, 20, 20, 20]
    assert measurement.cold_s == pytest.approx(0.0)  # nothing is prepared
    assert measurement.pass_samples_s == measurement.model_samples_s == [pytest.approx(0.2)] * 2


def test_without_warm_up_there_is_none(vocabulary):
    _, engine = measured(vocabulary, warmup=0, passes=1)
    assert engine.streams == [2, 20, 0, 20, 20]


def test_counts_are_those_of_all_passes(vocabulary):
    measurement, _ = measured(vocabulary)
    assert (measurement.questions, measurement.features) == (40, 40)
    assert measurement.tokens == 40 * 7  # [CLS] b [SEP] a b a [SEP]


def test_within_a_budget_passes_follow_until_three_quarters_of_it_are_over(vocabulary):
    measurement, _ = measured(vocabulary, passes=1, seconds=1.0)
    assert measurement.pass_samples_s == [pytest.approx(0.2)] * 4
    assert measurement.questions == 80
    assert measurement.squared_lengths == 80 * 7 * 7


def test_the_overhead_is_what_a_pass_takes_over_its_own_model_time():
    facts = dict.fromkeys(EndToEndMeasurement.__dataclass_fields__, 0) | {
        "questions": 60,
        "pass_samples_s": [1.1, 3.0, 1.2],
        "model_samples_s": [1.0, 2.0, 1.0],
        "tokenise_samples_s": [0.1, 0.3, 0.2],
        "decode_samples_s": [0.4, 0.4, 0.5],
    }
    found = shares(EndToEndMeasurement(**facts))
    assert found == {
        "questions_per_second": pytest.approx(60 / 5.3),
        "wall_s": 1.2,
        "model_s": 1.0,
        "tokenise_s": 0.2,
        "decode_s": 0.4,
        "overhead_share": pytest.approx(0.2),
    }


class Made:
    """Features as far as their origin goes."""

    training = False

    def __init__(self, path):
        self.metadata = {"dataset_sha256": sha256(path)}


def test_questions_are_spread_over_the_whole_dataset(tmp_path):
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(document(10)))
    chosen = questions_at_hand(tmp_path / "features", path, Made(path), 6)
    ids = [question.id for question in chosen.questions()]
    assert len(ids) == 6
    assert int(ids[-1].split("-")[0]) > 5


def test_texts_that_the_features_were_not_made_from_are_refused(tmp_path):
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(document(10)))
    made = Made(path)
    path.write_text(json.dumps(document(9)))
    with pytest.raises(UserError, match="not the dataset that"):
        questions_at_hand(tmp_path / "features", path, made, 6)
