"""Which features a benchmark runs, in which order and in which batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Of SQuAD's 10,833 features about 30 share each length, and engines gain from such neighbours.
NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class Workload:
    """Batches of feature numbers, int64[batch_size] each."""

    first: np.ndarray  # the very first inference after loading
    warmup: list[np.ndarray]  # run next, their times are thrown away
    timed: list[np.ndarray]  # one sample each


def make_workload(
    lengths: np.ndarray, *, batch_size: int, warmup: int, iterations: int, seed: int = 0
) -> Workload:
    """Batches that represent the lengths of a dataset, the same for every cell that asks alike.

    `lengths` int32[features], real tokens of each feature. The timed features are `iterations` x
    `batch_size` draws spread evenly over the features sorted by length, so that even a short run
    has the dataset's mixture of short and long; then shuffled with `seed` and cut into batches.
    Batches are therefore not length-sorted: each mixes lengths as requests that come in by chance
    would. When more draws than features are needed, all features are taken as often as they fit.

    The first and the warm-up batches are drawn in the same way but shuffled otherwise.
    """
    if len(lengths) == 0:
        raise ValueError("no features: a benchmark needs at least one")
    for name, value, least in (
        ("batch_size", batch_size, 1),
        ("iterations", iterations, 1),
        ("warmup", warmup, 0),
    ):
        if value < least:
            raise ValueError(f"{name} is {value}; expected at least {least}")
    before = _batches(lengths, batch_size, 1 + warmup, [seed, 0])
    return Workload(before[0], before[1:], _batches(lengths, batch_size, iterations, [seed, 1]))


def spread_over_lengths(lengths: np.ndarray, count: int) -> np.ndarray:
    """`count` feature numbers, int64, evenly spaced by rank of length: no feature is taken more
    than once oftener than another."""
    order = np.argsort(lengths, kind="stable")
    whole, rest = divmod(count, len(lengths))
    # The middles of `rest` equal parts.
    ranks = (2 * np.arange(rest) + 1) * len(lengths) // (2 * max(rest, 1))
    return np.concatenate([np.tile(order, whole), order[ranks]])


def spread_with_neighbours(lengths: np.ndarray, groups: int) -> np.ndarray:
    """Feature numbers, int64, by length: groups of NEIGHBOURS next to each other, from the middles
    of equal parts. Some are there twice only where all groups together are more than there are."""
    order = np.argsort(lengths, kind="stable")
    size = min(NEIGHBOURS, len(order))
    middles = (2 * np.arange(groups) + 1) * len(order) // (2 * groups)
    begins = np.clip(middles - size // 2, 0, len(order) - size)
    chosen: np.ndarray = order[(begins[:, None] + np.arange(size)).ravel()]
    return chosen


def squares(lengths: np.ndarray) -> int:
    """The sum of the squares of lengths."""
    return int(np.square(lengths, dtype=np.int64).sum())


def shapes(
    batches: Sequence[np.ndarray], lengths: np.ndarray, *, padded: bool = False
) -> list[int]:
    """The places of the first batch of each shape, the longest first. A padded batch's shape is its
    size; that of a packed one its features' lengths in any order, since engines may sort them."""
    places: dict[tuple[int, ...], int] = {}
    for place, batch in enumerate(batches):
        shape = (len(batch),) if padded else tuple(sorted(lengths[batch].tolist()))
        places.setdefault(shape, place)
    return [places[shape] for shape in sorted(places, key=sum, reverse=True)]


def computed_tokens(batches: list[np.ndarray], lengths: np.ndarray, padded_to: int | None) -> int:
    """Tokens that the engine computes on: real ones, or every feature padded to `padded_to`."""
    if padded_to is not None:
        return padded_to * sum(len(batch) for batch in batches)
    return sum(int(lengths[batch].sum()) for batch in batches)


def _batches(
    lengths: np.ndarray, batch_size: int, batches: int, seed: list[int]
) -> list[np.ndarray]:
    drawn = spread_over_lengths(lengths, batches * batch_size)
    np.random.default_rng(seed).shuffle(drawn)
    return np.split(drawn, batches)
