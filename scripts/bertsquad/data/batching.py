"""Which features go together, and their layout in memory: packed batches without padding.

A packed batch holds its sequences end to end. The linear layers see one [T, H] matrix of real
tokens; only attention needs to know where a sequence ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """N sequences of together T tokens, end to end."""

    input_ids: np.ndarray  # int64[T]
    positions: np.ndarray  # int64[T], 0 at the first token of every sequence
    segments: np.ndarray  # int64[T], 0 for [CLS] question [SEP], 1 for context [SEP]
    starts: np.ndarray  # int64[N + 1]; sequence n is tokens starts[n]:starts[n + 1]
    indices: np.ndarray  # int64[N], numbers of the features in their file
    # The answer's first and last token inside the sequence; None where answers are not known.
    start_positions: np.ndarray | None = None  # int64[N]
    end_positions: np.ndarray | None = None  # int64[N]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def tokens(self) -> int:
        """T, all of them real."""
        return int(self.starts[-1])

    @property
    def lengths(self) -> np.ndarray:
        """int64[N], tokens of each sequence."""
        return np.diff(self.starts)


def pack(
    input_ids: Sequence[Sequence[int] | np.ndarray],
    segments: Sequence[Sequence[int] | np.ndarray],
    *,
    indices: Sequence[int] | np.ndarray | None = None,
    start_positions: Sequence[int] | np.ndarray | None = None,
    end_positions: Sequence[int] | np.ndarray | None = None,
) -> PackedBatch:
    """Lay N sequences, given one by one, end to end. `indices` default to 0..N-1."""
    starts = starts_of([len(ids) for ids in input_ids])
    return PackedBatch(
        input_ids=_concatenated(input_ids),
        positions=positions_of(starts),
        segments=_concatenated(segments),
        starts=starts,
        indices=np.arange(len(starts) - 1) if indices is None else int64(indices),
        start_positions=None if start_positions is None else int64(start_positions),
        end_positions=None if end_positions is None else int64(end_positions),
    )


def starts_of(lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    """int64[N + 1]: where each of N sequences starts, and where the last one ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(int64(lengths))])


def positions_of(starts: np.ndarray) -> np.ndarray:
    """int64[T]: 0, 1, 2, ... anew in every sequence."""
    positions: np.ndarray = np.arange(starts[-1]) - np.repeat(starts[:-1], np.diff(starts))
    return positions


def _concatenated(sequences: Sequence[Sequence[int] | np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int64), *map(int64, sequences)])


def int64(values: Sequence[int] | np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.int64)


def by_length(lengths: np.ndarray) -> np.ndarray:
    """All feature numbers, the longest first, equal lengths in file order.

    Longest first, so that exhausted memory shows at the start and not after an hour.
    """
    return np.argsort(-int64(lengths), kind="stable")


def by_tokens(order: np.ndarray, lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Cut `order` (feature numbers) into batches of at most `budget` tokens each.

    `lengths` int[features] is indexed by feature number. A feature longer than the budget is a
    batch of its own. Order is kept: concatenating the batches gives `order` again.
    """
    if budget < 1:
        raise ValueError(f"budget is {budget} tokens; expected at least 1")
    cuts, tokens = [], 0
    for place, length in enumerate(lengths[order].tolist()):
        if tokens and tokens + length > budget:
            cuts.append(place)
            tokens = 0
        tokens += length
    return np.split(order, cuts) if len(order) else []


def by_count(order: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Cut `order` (feature numbers) into batches of `batch_size`; the last may be smaller."""
    return np.split(order, range(batch_size, len(order), batch_size)) if len(order) else []


def by_equal_length(order: np.ndarray, lengths: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Cut `order` so that the features of a batch have one length, at most `batch_size` each.

    With `order = by_length(lengths)` such batches are large and need no padding even in an engine
    that takes only rectangles.
    """
    changes = np.flatnonzero(np.diff(lengths[order])) + 1
    return [batch for run in np.split(order, changes) for batch in by_count(run, batch_size)]


def training_batch(step: int, *, batch_size: int, count: int, seed: int) -> np.ndarray:
    """The feature numbers of training step `step` (from 0): int64[batch_size].

    The stream of training examples is one random permutation of 0..count-1 after another, one for
    each pass, seeded by (seed, pass); step s takes items s*batch_size up to (s+1)*batch_size. So a
    batch may span two passes, every feature is seen once in a pass, and any step can be computed
    without the steps before it.
    """
    first, last = step * batch_size, (step + 1) * batch_size
    passes = range(first // count, (last - 1) // count + 1)
    stream = np.concatenate([permutation(count, seed, number) for number in passes])
    return stream[first - passes[0] * count : last - passes[0] * count]


def permutation(count: int, seed: int, number: int) -> np.ndarray:
    return np.random.default_rng([seed, number]).permutation(count)


def micro_batches(batch: np.ndarray, lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Cut a training batch into pieces of at most `budget` tokens, the longest sequences first.

    Sorting puts equal lengths side by side, where attention takes them in one call.
    """
    return by_tokens(batch[by_length(lengths[batch])], lengths, budget)
