"""Logits of every feature of a file, computed in the order that is fastest, kept in file order."""

from __future__ import annotations

from typing import Any

import numpy as np

from bertsquad.console.errors import UserError
from bertsquad.data.batching import PackedBatch, starts_of
from bertsquad.data.features import Features, ranges
from bertsquad.engines import Engine


def compute_logits(
    engine: Engine, features: Features, *, progress: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start and end logits, float32[T] each, and `starts`, int64[features + 1].

    Feature n, in file order, is tokens starts[n]:starts[n + 1]. Batches are those of the engine's
    `plan`. `progress` is told the number of features done, by `progress.update`. Raises UserError
    when a logit is not finite, naming the feature: the weights are broken, and no answer could be
    trusted.
    """
    starts = starts_of(features.lengths)
    start_logits = np.empty(starts[-1], np.float32)
    end_logits = np.empty(starts[-1], np.float32)
    batches = map(features.packed, engine.plan(features.lengths))
    for batch, start, end in engine.stream(batches):
        check_finite(start, batch, engine)
        check_finite(end, batch, engine)
        places = ranges(starts[batch.indices], batch.lengths)
        start_logits[places], end_logits[places] = start, end
        if progress is not None:
            progress.update(len(batch))
    return start_logits, end_logits, starts


def check_finite(logits: np.ndarray, batch: PackedBatch, engine: Engine) -> None:
    bad = np.flatnonzero(~np.isfinite(logits))
    if bad.size:
        feature = batch.indices[np.searchsorted(batch.starts, bad[0], side="right") - 1]
        raise UserError(
            f"feature {feature} (counted from 0) got a logit that is not a finite number from "
            f"{engine.name} {engine.precision}; the model's weights are broken or overflow in "
            "this precision: check the training log, or use fp32"
        )
