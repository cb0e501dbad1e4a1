"""What the modes share in which an engine has a whole set at hand and cuts it into batches."""

from collections.abc import Iterable
from dataclasses import dataclass

from bertsquad.data.batching import PackedBatch
from bertsquad.engines import Engine


@dataclass(frozen=True, slots=True)
class PassMeasurement:
    """What so many passes over a set gave, all of them together unless said otherwise."""

    pass_samples_s: list[float]
    features: int
    tokens: int  # real ones
    computed_tokens: int  # the same: nothing is padded before the engine
    batches: int  # of one pass
    model_load_s: float
    first_inference_s: float
    memory_before_load_mib: float  # the engine's library and the features are open
    memory_after_load_mib: float
    peak_memory_mib: float


def run_through(engine: Engine, batches: Iterable[PackedBatch]) -> None:
    """Stream the batches and forget their logits."""
    for _ in engine.stream(batches):
        pass


def spread(amount: int, count: int) -> list[int]:
    """`count` numbers of 0..amount-1, evenly spread; all of them where there are not more."""
    count = min(count, amount)
    return [(2 * number + 1) * amount // (2 * count) for number in range(count)]
