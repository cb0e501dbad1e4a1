"""What the modes share in which an engine has a whole set at hand and cuts it into batches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from bertsquad.benchmark.workload import NEIGHBOURS
from bertsquad.data.batching import PackedBatch
from bertsquad.engines import Engine

# A whole dataset is hundreds of batches; with too few, threads that idle at the end would be timed.
_BATCHES_PER_THREAD = 8


@dataclass(frozen=True, slots=True)
class PassMeasurement:
    """What so many passes over a set gave, all of them together unless said otherwise."""

    pass_samples_s: list[float]
    features: int
    tokens: int  # real ones
    squared_lengths: int  # the sum of their squares: attention's operations follow from it
    computed_tokens: int  # the same: nothing is padded before the engine
    batches: int  # of one pass
    model_load_s: float
    first_inference_s: float
    cold_s: float  # what meeting all shapes for the first time cost over later
    memory_before_load_mib: float  # the engine's library and the features are open
    memory_after_load_mib: float
    peak_memory_mib: float


def run_through(engine: Engine, batches: Iterable[PackedBatch]) -> None:
    """Stream the batches and forget their logits. RuntimeError where the engine loses one."""
    given = 0

    def counted() -> Iterator[PackedBatch]:
        nonlocal given
        for batch in batches:
            given += 1
            yield batch

    answered = sum(1 for _ in engine.stream(counted()))
    if answered != given:
        raise RuntimeError(f"{engine.name} answered {answered} of {given} batches; it is broken")


def plan_of_few(engine: Engine, lengths: np.ndarray) -> list[np.ndarray]:
    """The engine's batches, the longest first. Where they would be too few for its threads, it is
    asked for smaller pieces one by one, down to NEIGHBOURS features. `lengths` ascending."""
    size = len(lengths)
    while True:
        ends = range(len(lengths), 0, -size)
        pieces = [np.arange(max(end - size, 0), end) for end in ends]
        batches = [piece[batch] for piece in pieces for batch in engine.plan(lengths[piece])]
        if size <= NEIGHBOURS or len(batches) >= _BATCHES_PER_THREAD * engine.threads:
            return batches
        size = max(size // 2, NEIGHBOURS)


def spread(amount: int, count: int) -> list[int]:
    """`count` numbers of 0..amount-1, evenly spread; all of them where there are not more."""
    count = min(count, amount)
    return [(2 * number + 1) * amount // (2 * count) for number in range(count)]
