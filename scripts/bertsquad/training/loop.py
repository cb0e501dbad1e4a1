"""Fine-tuning on SQuAD by Google's recipe (run_squad.py), on packed micro-batches.

A step is a pure function of the weights, the optimizer's moments and the step's number: the order
of examples and the seeds of dropout are computed from (seed, step), so a training that was killed
goes on bit for bit as if nothing had happened.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from bertsquad.console.errors import UserError
from bertsquad.data.batching import PackedBatch, micro_batches
from bertsquad.data.features import Features
from bertsquad.model.bert import BertForQuestionAnswering
from bertsquad.training.hyperparameters import Hyperparameters
from bertsquad.training.optimizer import adam_weight_decay, clip_by_global_norm, update
from bertsquad.training.ranks import batches_of_ranks, plan_of_ranks
from bertsquad.training.schedule import Schedule
from bertsquad.training.state import Saving, TrainingState
from bertsquad.training.team import ALONE, Team

NAMED_FEATURES = 5  # of those with a non-finite loss, this many are named


def plan_steps(features: Features, hyperparameters: Hyperparameters) -> Schedule:
    """Steps and learning rates of this training; UserError where it would not have one step."""
    count = len(features)
    if hyperparameters.count_steps_by == "examples":
        count = len(np.unique(features.feature_question))
    schedule = plan_of_ranks(hyperparameters, count)
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

    Goes on from `state` where there is one, and saves it as `Saving` decides. `on_step` gets the
    log line of every step, `announce` what a user should know. Several processes share the work as
    a `team`, each with its own model; only the leader uses `state` and announces.

    Asked to stop by a signal, the leader saves the state and raises `Stopped`. Raises UserError
    when loss or gradient is not finite: the step, and the features that did it.
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
    batch_of = batches_of_ranks(
        hyperparameters, features.feature_question, steps=schedule.total_steps
    )
    team.prepare_gradients(model)
    threads = torch.get_num_threads() * team.size
    kernels = model.training_kernels
    begin = time.monotonic() - progress.elapsed_s
    saving = Saving(checkpoint_seconds, checkpoint_steps, progress.steps)
    with saving.when_stopped(state, model, optimizer, progress, active=team.leader) as stopping:
        for step in range(progress.steps, schedule.total_steps):
            started = time.monotonic()
            batch = batch_of(step)
            where = f"step {step + 1} of {schedule.total_steps}"
            loss = finite_gradients(model, features, batch, hyperparameters, step, team, where)
            rate = schedule.learning_rate(step)
            with stopping.held_back():
                update(optimizer, rate)
                team.clear_gradients(model)
                now = time.monotonic()
                progress.elapsed_s = now - begin
                line = step_line(step, loss, rate, features.lengths[batch], threads, now - started)
                elapsed = {"elapsed_s": round(progress.elapsed_s, 3)}
                progress.log.append(line | {"kernels": kernels} | elapsed)
                on_step(progress.log[-1])
                if team.leader and saving.is_due(progress.steps):
                    saving.save(state, model, optimizer, progress)
    return progress.log


def finite_gradients(
    model: BertForQuestionAnswering,
    features: Features,
    batch: np.ndarray,
    hyperparameters: Hyperparameters,
    step: int,
    team: Team,
    where: str,
) -> float:
    """Leave the clipped gradient of the batch's mean loss in the parameters; return that loss.

    Raises UserError, which names `where`, when one of them is not finite.
    """
    loss = add_gradients(model, features, batch, hyperparameters, step, team)
    norm = clip_by_global_norm(gradients(model), hyperparameters.max_grad_norm)
    if not (math.isfinite(loss) and math.isfinite(norm)):
        raise team.leaders(
            partial(not_finite, model, features, batch, hyperparameters, step, where, loss)
        )
    return loss


def step_line(
    step: int, loss: float, rate: float, lengths: np.ndarray, threads: int, seconds: float
) -> dict[str, Any]:
    """A step's line of the log; `lengths`: the tokens of each of its examples."""
    tokens = int(lengths.sum())
    return {
        "step": step + 1,
        "loss": loss,
        "learning_rate": rate,
        "examples": len(lengths),
        "tokens": tokens,
        "threads": threads,
        "tokens_per_second": round(tokens / seconds, 1),
    }


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
        start, end = model(packed, words, len(pieces))
        loss = answer_loss(start, end, packed) / len(batch)
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
    assert batch.start_positions is not None
    assert batch.end_positions is not None
    start, end = (
        F.cross_entropy(
            pad_sequence(logits.split(lengths), batch_first=True, padding_value=-math.inf),
            torch.from_numpy(positions),
            reduction="sum",
        )
        for logits, positions in (
            (start_logits, batch.start_positions),
            (end_logits, batch.end_positions),
        )
    )
    return (start + end) / 2


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
