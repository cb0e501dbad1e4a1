"""What the ranks of a data-parallel training do to it: their batches, their steps, their rate.

A rank here belongs to the recipe: R ranks share the batch of a step, however many processes
compute it. Intel's run_squad.py for Horovod (Model Zoo v1.6.1) differs from what its users mean by
that in three ways, each an option here so that its price can be measured:

    rank_data          same: every rank reads the same records from the start; split: its own share
    rank_gradients     independent: every rank updates its own model, and rank 0's is kept
    rank_learning_rate sqrt: the learning rate is multiplied by the square root of R
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bertsquad.data.batching import permutation, training_batch
from bertsquad.training.hyperparameters import Hyperparameters
from bertsquad.training.schedule import Schedule, plan, share

# run_squad.py shuffles the records it reads in a buffer of this many (input_fn_builder).
SHUFFLE_BUFFER = 100


def plan_of_ranks(recipe: Hyperparameters, count: int) -> Schedule:
    """Steps and rates of each rank, for `count` examples or features: run_squad.py plans for one
    rank, and then divides by R. UserError where the batch does not divide among the ranks."""
    alone = plan(
        count,
        batch_size=share(recipe.batch_size, recipe.ranks),
        epochs=recipe.epochs,
        warmup_proportion=recipe.warmup_proportion,
        peak_learning_rate=recipe.learning_rate,
    )
    scale = math.sqrt(recipe.ranks) if recipe.rank_learning_rate == "sqrt" else 1.0
    return replace(
        alone,
        peak_learning_rate=recipe.learning_rate * scale,
        total_steps=alone.total_steps // recipe.ranks,
        warmup_steps=alone.warmup_steps // recipe.ranks,
    )


def batches_of_ranks(
    recipe: Hyperparameters, feature_question: np.ndarray, *, steps: int
) -> Callable[[int], np.ndarray]:
    """A function from a step (from 0) to its feature numbers, int64[examples].

    `feature_question`, int[features], numbers the question of each window; run_squad.py keeps a
    question's windows together. With averaged gradients a batch holds the examples of all ranks,
    rank after rank; with independent ones those of rank 0 alone.
    """
    batch_size, seed = recipe.batch_size, recipe.seed
    each = share(batch_size, recipe.ranks)
    kept = recipe.ranks if recipe.rank_gradients == "averaged" else 1
    if recipe.rank_data == "same":
        records = record_order(feature_question, seed)
        streams = [buffered(records, each * steps, seed, rank) for rank in range(kept)]
        return lambda step: np.concatenate(
            [stream[step * each : (step + 1) * each] for stream in streams]
        )
    return lambda step: training_batch(
        step, batch_size=batch_size, count=len(feature_question), seed=seed
    )[: each * kept]


def record_order(feature_question: np.ndarray, seed: int) -> np.ndarray:
    """The order of the records in train.tf_record: questions shuffled once, the windows of each
    side by side. int64[features]."""
    questions, members = np.unique(feature_question, return_inverse=True)
    place = permutation(len(questions), seed, 0)
    return np.argsort(place[members], kind="stable")


def buffered(records: np.ndarray, count: int, seed: int, rank: int) -> np.ndarray:
    """The first `count` items of `records` repeated for ever and shuffled in a buffer, as
    tf.data's repeat().shuffle(100) does: int64[count]."""
    places = np.random.default_rng([seed, 1, rank]).integers(SHUFFLE_BUFFER, size=count).tolist()
    source = np.resize(records, count + SHUFFLE_BUFFER).tolist()
    buffer, drawn = source[:SHUFFLE_BUFFER], []
    for place, following in zip(places, source[SHUFFLE_BUFFER:], strict=True):
        drawn.append(buffer[place])
        buffer[place] = following
    return np.array(drawn, np.int64)
