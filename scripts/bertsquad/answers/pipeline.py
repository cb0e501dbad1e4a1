"""Texts in, answers out: features are made ahead of the engine, and answers behind it.

The engine is fed from the caller's thread. One thread makes the features of the next part of the
dataset while the engine works on this one, another decodes the questions whose windows are all
done. The first part is small, so that the engine starts within a few hundredths of a second, and
each is twice the one before, so that the engine soon plans its batches over thousands of features.
"""

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bertsquad.answers.decoding import Decoded, Decoder
from bertsquad.data.batching import PackedBatch, starts_of
from bertsquad.data.features import Features, ranges
from bertsquad.data.featurization import featurize_part
from bertsquad.data.squad import Dataset
from bertsquad.data.tokenization import Vocabulary
from bertsquad.engines import Answered, Engine
from bertsquad.engines.whole_set import check_finite

FIRST_PART = 128  # questions, at least; each further part has twice as many
DECODED_AT_ONCE = 256  # questions, or the rest of a part: what is left after the last batch


@dataclass(frozen=True, slots=True)
class Windows:
    """How questions and contexts become features (featurization.featurize)."""

    max_seq_length: int
    doc_stride: int
    max_query_length: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Which spans are answers (decoding.decode)."""

    n_best_size: int
    max_answer_length: int


@dataclass(slots=True)
class Part:
    """Consecutive paragraphs: their features, and what is known of their logits so far."""

    dataset: Dataset
    features: Features
    plan: list[np.ndarray]  # the engine's batches of this part's features
    first_feature: int  # its number among the features of all parts
    starts: np.ndarray  # int64[features + 1]
    start_logits: np.ndarray
    end_logits: np.ndarray
    waiting: np.ndarray  # int64[questions], windows without logits
    ready: list[np.ndarray]  # numbers of questions whose windows are done, not yet decoded
    decoder: Decoder | None = None

    def batches(self) -> Iterator[PackedBatch]:
        """In the order of the plan, features numbered over all parts."""
        for indices in self.plan:
            batch = self.features.packed(indices)
            yield replace(batch, indices=batch.indices + self.first_feature)


@dataclass(slots=True)
class Answers:
    """The answers to a dataset's questions, in its order, and what they took."""

    decoded: Decoded
    parts: list[Part]
    tokenise_s: float  # processor time of the thread that makes features and plans batches
    decode_s: float  # processor time of the thread that makes answers

    @property
    def features(self) -> int:
        """How many windows there were."""
        return sum(len(part.features) for part in self.parts)

    def batches(self) -> Iterator[PackedBatch]:
        """What the engine was given, once more and in the same order."""
        for part in self.parts:
            yield from part.batches()


def answer(
    engine: Engine,
    dataset: Dataset,
    vocabulary: Vocabulary,
    *,
    windows: Windows,
    limits: Limits,
    progress: Any = None,
) -> Answers:
    """The answers to all questions: those of featurize, compute_logits and decode one by one.

    `progress.update` is called with the number of windows done. Raises what making
    features, the engine or decoding raises first, when all threads have ended.
    """
    tokenising = _Stage("tokenise")
    decoding = _Stage("decode")
    try:
        done = _Answering(engine, dataset, vocabulary, windows, limits, tokenising, decoding)
        for answered in engine.stream(done.batches()):
            done.take(answered)
            if progress is not None:
                progress.update(len(answered.batch))
        return Answers(done.decoded(), done.parts, tokenising.cpu_s, decoding.cpu_s)
    finally:
        tokenising.end()
        decoding.end()


class _Stage:
    """A thread that does one thing after another; `cpu_s` is the processor time of its work."""

    def __init__(self, name: str) -> None:
        self.pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self.cpu_s = 0.0

    def submit(self, work: Any, *arguments: Any) -> Future[Any]:
        return self.pool.submit(self.timed, work, *arguments)

    def timed(self, work: Any, *arguments: Any) -> Any:
        begin = time.thread_time()
        try:
            return work(*arguments)
        finally:
            self.cpu_s += time.thread_time() - begin

    def end(self) -> None:
        """Wait for what it is doing, forget what it was to do."""
        self.pool.shutdown(cancel_futures=True)


@dataclass
class _Answering:
    """One dataset on its way through the engine."""

    engine: Engine
    dataset: Dataset
    vocabulary: Vocabulary
    windows: Windows
    limits: Limits
    tokenising: _Stage
    decoding: _Stage
    parts: list[Part] = field(default_factory=list)
    first_features: list[int] = field(default_factory=list)  # of the parts
    futures: deque[Future[Decoded]] = field(
        default_factory=deque
    )  # of Decoded, in the order they end
    answers: Decoded = field(default_factory=lambda: Decoded({}, {}, None))

    def batches(self) -> Iterator[PackedBatch]:
        """The batches of all parts; while one part's are taken the next part is made."""
        pieces = pieces_of(self.dataset)
        following = self.make_next(pieces)
        while following is not None:
            part = following.result()
            following = self.make_next(pieces)
            part.first_feature = sum(len(before.features) for before in self.parts)
            self.parts.append(part)
            self.first_features.append(part.first_feature)
            yield from part.batches()

    def make_next(self, pieces: Iterator[Dataset]) -> Future[Part] | None:
        piece = next(pieces, None)
        return None if piece is None else self.tokenising.submit(self.make, piece)

    def make(self, piece: Dataset) -> Part:
        features = featurize_part(
            piece,
            self.vocabulary,
            max_seq_length=self.windows.max_seq_length,
            doc_stride=self.windows.doc_stride,
            max_query_length=self.windows.max_query_length,
            training=False,
        )
        starts = starts_of(features.lengths)
        waiting = np.bincount(features.feature_question, minlength=len(features.question_paragraph))
        return Part(
            piece,
            features,
            plan=self.engine.plan(features.lengths),
            first_feature=0,
            starts=starts,
            start_logits=np.empty(starts[-1], np.float32),
            end_logits=np.empty(starts[-1], np.float32),
            waiting=waiting,
            ready=[np.flatnonzero(waiting == 0)],  # their context has no token
        )

    def take(self, answered: Answered) -> None:
        """Keep a batch's logits; decode when enough questions are ready."""
        batch, start_logits, end_logits = answered
        check_finite(start_logits, batch, self.engine)
        check_finite(end_logits, batch, self.engine)
        part = self.parts[np.searchsorted(self.first_features, batch.indices[0], side="right") - 1]
        indices = batch.indices - part.first_feature
        places = ranges(part.starts[indices], batch.lengths)
        part.start_logits[places], part.end_logits[places] = start_logits, end_logits
        questions = part.features.feature_question[indices]
        np.subtract.at(part.waiting, questions, 1)
        part.ready.append(np.unique(questions[part.waiting[questions] == 0]))
        if sum(map(len, part.ready)) >= DECODED_AT_ONCE or not part.waiting.any():
            self.decode_ready(part)
        while self.futures and self.futures[0].done():
            self.keep(self.futures.popleft().result())  # raises what went wrong there

    def decode_ready(self, part: Part) -> None:
        questions = np.sort(np.concatenate(part.ready))
        part.ready = []
        self.futures.append(self.decoding.submit(self.decode, part, questions))

    def decode(self, part: Part, questions: np.ndarray) -> Decoded:
        if part.decoder is None:
            part.decoder = Decoder(
                part.features,
                part.dataset,
                self.vocabulary,
                n_best_size=self.limits.n_best_size,
                max_answer_length=self.limits.max_answer_length,
            )
        begins = np.searchsorted(part.features.feature_question, questions)
        ends = np.searchsorted(part.features.feature_question, questions, side="right")
        rows = ranges(begins, ends - begins)
        lengths = part.features.lengths[rows]
        places = ranges(part.starts[rows], lengths)
        return part.decoder.decode(
            part.features.only(rows),
            questions.tolist(),
            part.start_logits[places],
            part.end_logits[places],
            starts_of(lengths),
        )

    def decoded(self) -> Decoded:
        """All answers, when the last batch has been taken; also of parts that had none."""
        for part in self.parts:
            if part.ready:
                self.decode_ready(part)
        for future in self.futures:
            self.keep(future.result())
        ids = [question.id for question in self.dataset.questions()]
        predictions, nbest = self.answers.predictions, self.answers.nbest
        return Decoded(
            {id_: predictions[id_] for id_ in ids}, {id_: nbest[id_] for id_ in ids}, None
        )

    def keep(self, some: Decoded) -> None:
        self.answers.predictions.update(some.predictions)
        self.answers.nbest.update(some.nbest)


def pieces_of(dataset: Dataset) -> Iterator[Dataset]:
    """Consecutive paragraphs, each time with twice as many questions, at least."""
    wanted = FIRST_PART
    taken, questions = [], 0
    for paragraph in dataset.paragraphs:
        taken.append(paragraph)
        questions += len(paragraph.questions)
        if questions >= wanted:
            yield replace(dataset, paragraphs=tuple(taken))
            wanted *= 2
            taken, questions = [], 0
    if questions:
        yield replace(dataset, paragraphs=tuple(taken))
