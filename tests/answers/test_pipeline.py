"""Texts to answers at once: the answers of the steps one by one, whatever the order of batches."""

import json
import threading
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsquad.answers import decoding, pipeline
from bertsquad.answers.pipeline import Limits, Windows, answer, pieces_of
from bertsquad.console.errors import UserError
from bertsquad.data import squad
from bertsquad.data.batching import by_length, by_tokens
from bertsquad.data.featurization import featurize, featurize_part
from bertsquad.data.tokenization import Vocabulary
from bertsquad.engines import Answered
from bertsquad.engines.whole_set import compute_logits

WINDOWS = Windows(max_seq_length=32, doc_stride=8, max_query_length=8)
LIMITS = Limits(n_best_size=5, max_answer_length=6)


@dataclass
class StandIn:
    """Logits that depend on a feature's tokens alone, as a perfect engine's would; batches of any
    cut, answered in any order, as `seed` says."""

    seed: int = 0
    budget: int = 100
    name: str = "stand-in"
    precision: str = "fp32"
    fault: BaseException | None = None  # raised instead of the second batch's logits

    def plan(self, lengths):
        order = by_length(lengths)
        if self.seed:
            np.random.default_rng(self.seed).shuffle(order)
        return by_tokens(order, lengths, self.budget)

    def stream(self, batches):
        under_way = []
        random = np.random.default_rng(self.seed)
        for number, batch in enumerate(batches):
            if number == 1 and self.fault is not None:
                raise self.fault
            under_way.append(batch)
            if len(under_way) > (self.seed and random.integers(4)):
                yield self.answered(under_way.pop(random.integers(len(under_way))))
        yield from map(self.answered, under_way)

    def answered(self, batch):
        phase = batch.input_ids * 1.7 + batch.positions * 0.3
        return Answered(batch, *(np.sin(phase * k).astype(np.float32) for k in (1, 2)))


def dataset_of(*paragraphs):
    """Each paragraph is its context and the texts of its questions, called q0, q1, ..."""
    ids = iter(range(10**6))
    return squad.Dataset(
        "1.1",
        tuple(
            squad.Paragraph(
                "",
                context,
                tuple(squad.Question(f"q{next(ids)}", t, (squad.Answer("x", 0),)) for t in asked),
            )
            for context, asked in paragraphs
        ),
        "made-up.json",
    )


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    letters = [*"abcdefghij", *(f"##{letter}" for letter in "abcdefghij")]
    path.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters]) + "\n")
    return Vocabulary(path)


@pytest.fixture
def small_parts(monkeypatch):
    """Parts and decoding in steps so small that a few questions make many of them."""
    monkeypatch.setattr(pipeline, "FIRST_PART", 2)
    monkeypatch.setattr(pipeline, "DECODED_AT_ONCE", 3)


def words(count, seed):
    drawn = np.random.default_rng(seed).integers(0, 10, (count, 3))
    return " ".join("".join("abcdefghij"[n] for n in word) for word in drawn)


def some_paragraphs(count):
    """Contexts of 1 to 40 words, which are up to 120 pieces in windows of 32; 0 to 3 questions."""
    return [
        (words(1 + 7 * n % 40, n), [words(1 + q, 1000 * n + q) for q in range(n % 4)])
        for n in range(count)
    ]


def one_by_one(engine, dataset, vocabulary, windows=WINDOWS, limits=LIMITS):
    """predictions.json and nbest_predictions.json of featurize, compute_logits and decode."""
    features = featurize(
        dataset,
        vocabulary,
        max_seq_length=windows.max_seq_length,
        doc_stride=windows.doc_stride,
        max_query_length=windows.max_query_length,
        training=False,
    )
    found = compute_logits(engine, features)
    return texts(
        decoding.decode(
            features,
            dataset,
            vocabulary,
            *found,
            n_best_size=limits.n_best_size,
            max_answer_length=limits.max_answer_length,
        )
    )


def texts(decoded):
    return decoding.predictions_json(decoded.predictions), decoding.nbest_json(decoded.nbest)


def at_once(engine, dataset, vocabulary, windows=WINDOWS, limits=LIMITS, **options):
    return answer(engine, dataset, vocabulary, windows=windows, limits=limits, **options)


@pytest.mark.real_data
def test_an_article_of_squad_gets_the_answers_of_the_steps_one_by_one(squad_dir, uncased_vocab):
    path = squad_dir / "dev-v1.1.Super_Bowl_50.official.json"
    article = {"version": "1.1"} | json.loads(path.read_text(encoding="utf-8"))
    dataset = squad.parse(article, source=str(path))
    vocabulary = Vocabulary(uncased_vocab)
    windows, limits, engine = Windows(384, 128, 64), Limits(20, 30), StandIn(3, budget=2048)
    answers = at_once(engine, dataset, vocabulary, windows, limits)
    assert texts(answers.decoded) == one_by_one(engine, dataset, vocabulary, windows, limits)
    assert len(answers.decoded.predictions) == 810
    assert len(answers.parts) == 3


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
def test_any_cut_and_order_of_batches_gives_the_same_answers(vocabulary, seed, budget):
    dataset = dataset_of(*some_paragraphs(12))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "FIRST_PART", 2)
        patch.setattr(pipeline, "DECODED_AT_ONCE", 3)
        answers = at_once(StandIn(seed, budget), dataset, vocabulary)
    assert texts(answers.decoded) == one_by_one(StandIn(), dataset, vocabulary)


def test_each_part_has_twice_the_questions_of_the_one_before(small_parts):
    dataset = dataset_of(*[("a b c", ["a", "b"])] * 9)
    sizes = [sum(1 for _ in piece.questions()) for piece in pieces_of(dataset)]
    assert sizes == [2, 4, 8, 4]


def test_no_question_is_no_answer(vocabulary):
    answers = at_once(StandIn(), dataset_of(("a b c", [])), vocabulary)
    assert (answers.decoded.predictions, answers.features) == ({}, 0)


def test_a_context_without_a_token_is_answered_empty(vocabulary, small_parts):
    """U+200B is a format character: no white space, and dropped by the tokeniser."""
    dataset = dataset_of(("\u200b", ["a", "b"]), ("a b c", ["a"]), ("\u200b", ["c"]))
    predictions = at_once(StandIn(), dataset, vocabulary).decoded.predictions
    assert [predictions[q] for q in ("q0", "q1", "q3")] == ["empty"] * 3
    assert list(predictions) == ["q0", "q1", "q2", "q3"]


def test_the_engine_gets_the_same_batches_once_more(vocabulary, small_parts):
    seen = []

    class Watched(StandIn):
        def answered(self, batch):
            seen.append(batch.indices.tolist())
            return super().answered(batch)

    answers = at_once(Watched(), dataset_of(*some_paragraphs(12)), vocabulary)
    assert [batch.indices.tolist() for batch in answers.batches()] == seen
    assert sorted(n for indices in seen for n in indices) == list(range(answers.features))


def test_progress_counts_every_window(vocabulary, small_parts):
    class Progress:
        done = 0

        def update(self, windows):
            self.done += windows

    progress = Progress()
    answers = at_once(StandIn(), dataset_of(*some_paragraphs(12)), vocabulary, progress=progress)
    assert progress.done == answers.features > 18


def test_stages_have_their_own_times_inside_the_whole(vocabulary, small_parts):
    answers = at_once(StandIn(), dataset_of(*some_paragraphs(12)), vocabulary)
    assert answers.tokenise_s > 0
    assert answers.decode_s > 0


def test_the_next_features_are_made_while_the_engine_works(vocabulary, small_parts, monkeypatch):
    made, second = [], threading.Event()

    def watched(*arguments, **options):
        made.append(featurize_part(*arguments, **options))
        if len(made) == 2:
            second.set()
        return made[-1]

    class Waiting(StandIn):
        def answered(self, batch):
            assert second.wait(20), "the engine's first batch waits for the second part in vain"
            return super().answered(batch)

    monkeypatch.setattr(pipeline, "featurize_part", watched)
    answers = at_once(Waiting(), dataset_of(*some_paragraphs(12)), vocabulary)
    assert len(answers.parts) > 2


def test_answers_are_made_while_the_engine_works(vocabulary, small_parts, monkeypatch):
    some_answers = threading.Event()

    class WatchedDecoder(decoding.Decoder):
        def decode(self, *arguments):
            found = super().decode(*arguments)
            some_answers.set()
            return found

    class Waiting(StandIn):
        def stream(self, batches):
            for number, batch in enumerate(batches):
                if number == 20:
                    assert some_answers.wait(20), "batch 20 waits for the first answers in vain"
                yield self.answered(batch)

    monkeypatch.setattr(pipeline, "Decoder", WatchedDecoder)
    answers = at_once(Waiting(budget=40), dataset_of(*some_paragraphs(12)), vocabulary)
    assert sum(len(part.plan) for part in answers.parts) > 20


def threads_after(call):
    """The exception that a call raises, and the threads it left behind."""
    before = set(threading.enumerate())
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - the callers look closer
        call()
    return caught.value, set(threading.enumerate()) - before


@pytest.mark.parametrize(
    "fault", [UserError("the engine is out of order"), KeyboardInterrupt()], ids=["error", "Ctrl-C"]
)
def test_what_stops_the_engine_stops_all_threads(vocabulary, small_parts, fault):
    dataset = dataset_of(*some_paragraphs(40))
    error, left = threads_after(lambda: at_once(StandIn(fault=fault), dataset, vocabulary))
    assert error is fault
    assert left == set()


def test_a_question_too_long_is_named_though_another_thread_found_it(vocabulary, small_parts):
    dataset = dataset_of(*some_paragraphs(12), ("a b", [" ".join("a" * 40)]))
    windows = Windows(max_seq_length=32, doc_stride=8, max_query_length=64)
    error, left = threads_after(lambda: at_once(StandIn(), dataset, vocabulary, windows))
    assert "made-up.json: question 'q18' has 40 word pieces" in str(error)
    assert left == set()


def test_a_fault_in_decoding_is_raised_once_and_ends_everything(
    vocabulary, small_parts, monkeypatch
):
    class FaultyDecoder(decoding.Decoder):
        def decode(self, *arguments):
            raise RuntimeError("no answer today")

    monkeypatch.setattr(pipeline, "Decoder", FaultyDecoder)
    dataset = dataset_of(*some_paragraphs(40))
    error, left = threads_after(lambda: at_once(StandIn(), dataset, vocabulary))
    assert str(error) == "no answer today"
    assert left == set()


def test_a_broken_logit_is_named_by_the_number_of_its_feature_in_the_whole(vocabulary, small_parts):
    class Broken(StandIn):
        def answered(self, batch):
            found = super().answered(batch)
            if 7 in batch.indices:
                place = batch.starts[batch.indices.tolist().index(7)]
                found.start_logits[place] = np.nan
            return found

    dataset = dataset_of(*[("a b c", ["a"])] * 12)
    with pytest.raises(UserError, match="feature 7 "):
        at_once(Broken(), dataset, vocabulary)
