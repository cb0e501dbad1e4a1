"""Logits of every feature of a file, computed in the order that is fastest, kept in file order."""

from __future__ import annotations

from typing import Any

import numpy as np

from bertsquad.batching import PackedBatch, by_length, by_tokens, starts_of
from bertsquad.engines import Engine
from bertsquad.errors import UserError
from bertsquad.features import Features, ranges

# Throughput is flat from 1,000 to 4,000 tokens a batch on two Zen 4 cores; larger ones lose to
# fresh memory pages, smaller ones to call overhead.
TOKEN_BUDGET = 2048


def compute_logits(
    engine: Engine,
    features: Features,
    *,
    token_budget: int = TOKEN_BUDGET,
    progress: Any = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start and end logits, float32[T] each, and `starts`, int64[features + 1].

    Feature n, in file order, is tokens starts[n]:starts[n + 1]. Batches hold at most
    `token_budget` tokens of features of similar length, the longest first. `progress` is told the
    number of features done, by `progress.update`. Raises UserError when a logit is not finite,
    naming the feature: the weights are broken, and no answer could be trusted.
    """
    starts = starts_of(features.lengths)
    start_logits = np.empty(starts[-1], np.float32)
    end_logits = np.empty(starts[-1], np.float32)
    for indices in by_tokens(by_length(features.lengths), features.lengths, token_budget):
        batch = features.packed(indices)
        places = ranges(starts[indices], batch.lengths)
        start_logits[places], end_logits[places] = engine.run(batch)
        check_finite(start_logits[places], batch, engine)
        check_finite(end_logits[places], batch, engine)
        if progress is not None:
            progress.update(len(indices))
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
