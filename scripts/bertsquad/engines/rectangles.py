"""Packed batches through an engine that takes rectangles: without padding, several at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import numpy as np

from bertsquad.data.batching import PackedBatch, by_equal_length, by_length
from bertsquad.data.features import ranges
from bertsquad.engines import Answered

# Groups of 1 to 8 sequences of 184 tokens run equally fast within 2 to 4 % (BERT-Large, two Zen 4
# cores); small groups keep the last ones short and spread over threads.
GROUP_SIZE = 4

Logits = tuple[np.ndarray, np.ndarray]  # start and end, float32[B, S] each
Lane = Callable[[PackedBatch], Logits]
# Begins to compute a rectangle (input_ids, segment_ids: int64[B, S] each), and returns what waits
# for its logits.
Start = Callable[[np.ndarray, np.ndarray], Callable[[], Logits]]


class RectangleEngine(ABC):
    """`run`, `plan` and `stream` for an engine whose library takes rectangles."""

    __slots__ = ()
    at_once: int  # rectangles under way, at most

    @abstractmethod
    def start(self, input_ids: np.ndarray, segment_ids: np.ndarray) -> Callable[[], Logits]:
        """Begin to compute a rectangle, int64[B, S] each; what is returned waits for its logits."""

    def run(self, batch: PackedBatch) -> Logits:
        """Start and end logits, float32[T] each."""
        [answered] = self.stream([batch])
        return answered.start_logits, answered.end_logits

    def plan(self, lengths: np.ndarray) -> list[np.ndarray]:
        """Small batches of one length each, so that none is padded."""
        return equal_lengths(lengths)

    @abstractmethod
    def run_padded(
        self, input_ids: np.ndarray, input_mask: np.ndarray, segment_ids: np.ndarray
    ) -> Logits:
        """Start and end logits, float32[B, S] each, from int64[B, S] each."""

    def lanes(self, count: int) -> list[Lane]:
        """Calls that share what is loaded, for a library that several threads may call at once."""
        return [lane(self.run_padded)] * count

    def stream(self, batches: Iterable[PackedBatch]) -> Iterator[Answered]:
        """The logits of each batch, in order."""
        return answers(batches, self.start, at_once=self.at_once)


def lane(compute: Callable[[np.ndarray, np.ndarray, np.ndarray], Logits]) -> Lane:
    """`run` of an engine as a call that begins nothing which it does not end: `compute` takes a
    rectangle's ids, mask and segments, int64[B, S] each."""

    def start(input_ids: np.ndarray, segment_ids: np.ndarray) -> Callable[[], Logits]:
        logits = compute(input_ids, np.ones_like(input_ids), segment_ids)
        return lambda: logits

    def run(batch: PackedBatch) -> Logits:
        [answered] = answers([batch], start, at_once=1)
        return answered.start_logits, answered.end_logits

    return run


def equal_lengths(lengths: np.ndarray) -> list[np.ndarray]:
    """Feature numbers in groups of one length, the longest first, at most GROUP_SIZE each."""
    return by_equal_length(by_length(lengths), lengths, GROUP_SIZE)


def answers(batches: Iterable[PackedBatch], start: Start, *, at_once: int) -> Iterator[Answered]:
    """The logits of each batch, in order, with up to `at_once` rectangles under way.

    `batches` is read only as far as rectangles can be begun. What goes wrong in one is raised here
    once its turn comes; nothing is under way when this generator has ended.
    """
    under_way: deque[tuple[Callable[[], Logits], np.ndarray, Answered, bool]] = deque()
    try:
        for batch in batches:
            answered = Answered(
                batch, np.empty(batch.tokens, np.float32), np.empty(batch.tokens, np.float32)
            )
            groups = equal_lengths(batch.lengths)
            for number, group in enumerate(groups, 1):
                places = ranges(batch.starts[group], batch.lengths[group])
                shape = (len(group), -1)
                wait = start(
                    batch.input_ids[places].reshape(shape), batch.segments[places].reshape(shape)
                )
                under_way.append((wait, places, answered, number == len(groups)))
                if len(under_way) == at_once:
                    yield from _finished(*under_way.popleft())
        while under_way:
            yield from _finished(*under_way.popleft())
    finally:
        for wait, *_ in under_way:
            with suppress(Exception):  # the first error is on its way to the caller
                wait()


def _finished(
    wait: Callable[[], Logits], places: np.ndarray, answered: Answered, last: bool
) -> Iterator[Answered]:
    """Put a rectangle's logits into its batch's, and yield the batch after its last rectangle."""
    start_logits, end_logits = wait()
    answered.start_logits[places] = start_logits.ravel()
    answered.end_logits[places] = end_logits.ravel()
    if last:
        yield answered
