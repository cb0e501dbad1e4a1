"""Fine-tuning on SQuAD by Google's recipe (run_squad.py), on packed micro-batches.

A step is a pure function of the weights, the optimizer's moments and the step's number: the order
of examples and the seeds of dropout are computed from (seed, step), so a training that was killed
goes on bit for bit as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from bertsquad.batching import PackedBatch, micro_batches
from bertsquad.bert import BertForQuestionAnswering
from bertsquad.distributed.team import ALONE, Team
from bertsquad.errors import UserError
from bertsquad.features import Features
from bertsquad.optimizer import adam_weight_decay, clip_by_global_norm, update
from bertsquad.ranks import Ranks
from bertsquad.schedule import Schedule
from bertsquad.training_state import TrainingState

# A checkpoint may cost at most this share of the time between two of them.
CHECKPOINT_SHARE = 0.05

NAMED_FEATURES = 5  # of those with a non-finite loss, this many are named


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What decides the weights, beside checkpoint and features. Defaults: run_squad.py."""

    precision: str  # fp32 | bf16, of the matrix products
    epochs: float
    batch_size: int  # features a step, of all ranks together
    learning_rate: float  # the peak
    warmup_proportion: float = 0.1  # of all steps
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0  # joint L2 norm of all gradients
    hidden_dropout: float | None = None  # None: the checkpoint's
    attention_dropout: float | None = None
    head_init: str = "normal"  # normal | nsp | checkpoint
    count_steps_by: str = "examples"  # questions, as run_squad.py; or features
    micro_batch_tokens: int = 2048  # 1-4 thousand are equally fast; memory grows with it
    seed: int = 0
    ranks: int = 1  # see ranks.py for these four
    rank_data: str = "split"
    rank_gradients: str = "averaged"
    rank_learning_rate: str = "plain"

    @property
    def of_ranks(self) -> Ranks:
        """The part of the recipe that says what ranks do."""
        return Ranks(self.ranks, self.rank_data, self.rank_gradients, self.rank_learning_rate)

    @property
    def dropout(self) -> dict[str, float]:
        """The dropout rates that replace those of config.json, under their names there."""
        rates = {
            "hidden_dropout_prob": self.hidden_dropout,
            "attention_probs_dropout_prob": self.attention_dropout,
        }
        return {name: rate for name, rate in rates.items() if rate is not None}


def plan_steps(features: Features, hyperparameters: Hyperparameters) -> Schedule:
    """Steps and learning rates of this training; UserError where it would not have one step."""
    count = len(features)
    if hyperparameters.count_steps_by == "examples":
        count = len(np.unique(features.feature_question))
    schedule = hyperparameters.of_ranks.schedule(
        count,
        batch_size=hyperparameters.batch_size,
        epochs=hyperparameters.epochs,
        warmup_proportion=hyperparameters.warmup_proportion,
        learning_rate=hyperparameters.learning_rate,
    )
    if hyperparameters.epochs and not schedule.total_steps:
        raise UserError(
            f"{hyperparameters.epochs:g} epochs of {count} {hyperparameters.count_steps_by} in "
            f"batches of {hyperparameters.batch_size} are less than one step; train longer, or in "
            "smaller batches"
        )
    return schedule


def train(
    model: BertForQuestionAnswering,
    features: Features,
    hyperparameters: Hyperparameters,
    *,
    state: TrainingState,
    team: Team = ALONE,
    checkpoint_seconds: float = 60.0,
    checkpoint_steps: int | None = None,
    announce: Callable[[str], None] = lambda message: None,
    on_step: Callable[[dict[str, Any]], None] = lambda line: None,
) -> list[dict[str, Any]]:
    """Train the model in place; return the lines of training_log.jsonl.

    Goes on from `state` where there is one, and saves it every `checkpoint_seconds` (less often
    where saving would take more than CHECKPOINT_SHARE of the time), or every `checkpoint_steps`.
    `on_step` gets the log line of every step, `announce` what a user should know. Several processes
    share the work as a `team`, each with its own model; only the leader's `state` is used, and only
    the leader announces.

    Raises UserError when loss or gradient is not finite: the step, and the features that did it.
    """
    schedule = plan_steps(features, hyperparameters)
    model.train()
    model.precision = hyperparameters.precision
    optimizer = adam_weight_decay(
        model.named_parameters(), weight_decay=hyperparameters.weight_decay
    )
    progress, refused = team.restore(state, model, optimizer)
    if refused:
        announce(f"{state.path} is {refused}; starting anew")
    elif progress.steps:
        announce(f"resuming after step {progress.steps} of {schedule.total_steps}")
    batch_of = hyperparameters.of_ranks.batches(
        features.feature_question,
        batch_size=hyperparameters.batch_size,
        steps=schedule.total_steps,
        seed=hyperparameters.seed,
    )
    team.prepare_gradients(model)
    threads = torch.get_num_threads() * team.size

    begin = time.monotonic() - progress.elapsed_s
    saved, cost = time.monotonic(), 0.0
    for step in range(progress.steps, schedule.total_steps):
        started = time.monotonic()
        batch = batch_of(step)
        loss = add_gradients(model, features, batch, hyperparameters, step, team)
        norm = clip_by_global_norm(gradients(model), hyperparameters.max_grad_norm)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            where = f"step {step + 1} of {schedule.total_steps}"
            raise team.leaders(
                partial(not_finite, model, features, batch, hyperparameters, step, where, loss)
            )
        rate = schedule.learning_rate(step)
        update(optimizer, rate)
        team.clear_gradients(model)

        now = time.monotonic()
        progress.elapsed_s = now - begin
        tokens = int(features.lengths[batch].sum())
        progress.log.append(
            {
                "step": step + 1,
                "loss": loss,
                "learning_rate": rate,
                "examples": len(batch),
                "tokens": tokens,
                "threads": threads,
                "tokens_per_second": round(tokens / (now - started), 1),
                "elapsed_s": round(progress.elapsed_s, 3),
            }
        )
        on_step(progress.log[-1])
        wait = max(checkpoint_seconds, cost / CHECKPOINT_SHARE)
        by_step = checkpoint_steps and progress.steps % checkpoint_steps == 0
        if team.leader and (by_step or (not checkpoint_steps and now - saved > wait)):
            state.save(model, optimizer, progress)
            saved = time.monotonic()
            cost = saved - now
    return progress.log


def add_gradients(
    model: BertForQuestionAnswering,
    features: Features,
    batch: np.ndarray,
    hyperparameters: Hyperparameters,
    step: int,
    team: Team = ALONE,
) -> float:
    """Add the gradient of the batch's mean loss to every parameter's; return that loss."""
    part = team.share(batch, features.lengths)
    pieces = micro_batches(part, features.lengths, hyperparameters.micro_batch_tokens)
    total = 0.0
    for number, piece in enumerate(pieces):
        packed = features.packed(piece)
        words = team.dropout_seed([hyperparameters.seed, step, number])
        logits = model(packed, words, len(pieces))
        loss = answer_loss(*logits, packed) / len(batch)
        if number == len(pieces) - 1:
            team.last_backward_follows()
        loss.backward()
        total += loss.item()
    return team.sum(total)


def answer_loss(start_logits: Tensor, end_logits: Tensor, batch: PackedBatch) -> Tensor:
    """The sum over sequences of (CE_start + CE_end) / 2, from float32[T] logits each.

    Each softmax runs over the sequence's own tokens. run_squad.py's runs over all max_seq_length
    positions: the logits of padding take part in it. They mean nothing, and training only learns to
    push them down; leaving them out is the same as a logit of minus infinity there.
    """
    lengths = batch.lengths.tolist()
    return sum(
        F.cross_entropy(
            pad_sequence(logits.split(lengths), batch_first=True, padding_value=-math.inf),
            torch.from_numpy(positions),
            reduction="sum",
        )
        for logits, positions in (
            (start_logits, batch.start_positions),
            (end_logits, batch.end_positions),
        )
    ) / 2  # fmt: skip


def gradients(model: BertForQuestionAnswering) -> list[Tensor]:
    return [p.grad for p in model.parameters() if p.grad is not None]


def not_finite(
    model: BertForQuestionAnswering,
    features: Features,
    batch: np.ndarray,
    hyperparameters: Hyperparameters,
    step: int,
    where: str,
    loss: float,
) -> UserError:
    """The error that names the step and, found by running them alone, the features to blame."""
    what = f"the loss is {loss}" if not math.isfinite(loss) else "the gradient is not finite"
    culprits = []
    for feature in batch.tolist():
        model.zero_grad()
        alone = add_gradients(model, features, np.array([feature]), hyperparameters, step)
        norm = float(torch.nn.utils.get_total_norm(gradients(model)))
        if not (math.isfinite(alone) and math.isfinite(norm)):
            culprits.append(feature)
    if len(culprits) == len(batch):
        return UserError(
            f"{what} at {where}, for each of its {len(batch)} features: the weights are broken or "
            "training has diverged; try a lower learning rate or more warm-up"
        )
    named = ", ".join(
        f"feature {feature} (question {features.feature_question[feature]})"
        for feature in culprits[:NAMED_FEATURES]
    )
    return UserError(
        f"{what} at {where}, because of {len(culprits)} of its {len(batch)} features"
        f"{': ' + named if named else ''} (counted from 0 in the order of the dataset); "
        "look at them, or try a lower learning rate"
    )
