"""A part of a features file's logits: whole batches of the plan for all of them.

So the parts, joined, are the whole, bit for bit.

What shares a feature's batch may decide the last bits of its logits: products of other shapes are
summed in another order, and INT8 of ONNX Runtime scales a whole batch by one number. So features
are not cut anew. The batches of the engine's plan are shared out, and each is computed as it would
be without shards.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bertsquad.data.batching import starts_of
from bertsquad.data.features import Features, ranges
from bertsquad.distributed.sharing import shares
from bertsquad.engines import Engine
from bertsquad.engines.whole_set import check_finite


class ShardLogits(NamedTuple):
    """Logits of n features, T real tokens, in the order of the features file."""

    start_logits: np.ndarray  # [T], float32
    end_logits: np.ndarray  # [T], float32
    starts: np.ndarray  # [n + 1], int64; the shard's feature k holds starts[k]:starts[k + 1]
    indices: np.ndarray  # [n], int64, ascending: numbers of the features in their file


def batches_of_shard(
    engine: Engine, lengths: np.ndarray, number: int, shards: int
) -> list[np.ndarray]:
    """The batches, feature numbers each, of shard `number` (from 1): about as many tokens as the
    others have, in the order of the engine's plan. `lengths` int[features]."""
    plan = engine.plan(lengths)
    tokens = np.array([lengths[batch].sum() for batch in plan], np.int64)
    mine = shares(np.arange(len(plan)), tokens, shards)[number - 1]
    return [plan[place] for place in sorted(mine.tolist())]


def compute_shard(
    engine: Engine, features: Features, number: int, shards: int, *, progress: Any = None
) -> ShardLogits:
    """Shard `number` of `shards`, counted from 1; it may be empty. Of `progress` and errors see
    `whole_set.compute_logits`."""
    batches = batches_of_shard(engine, features.lengths, number, shards)
    indices = np.sort(np.concatenate([np.zeros(0, np.int64), *batches]))
    starts = starts_of(features.lengths[indices])
    start_logits = np.empty(starts[-1], np.float32)
    end_logits = np.empty(starts[-1], np.float32)
    for batch, start, end in engine.stream(map(features.packed, batches)):
        check_finite(start, batch, engine)
        check_finite(end, batch, engine)
        places = ranges(starts[np.searchsorted(indices, batch.indices)], batch.lengths)
        start_logits[places], end_logits[places] = start, end
        if progress is not None:
            progress.update(len(batch))
    return ShardLogits(start_logits, end_logits, starts, indices)
