"""What a killed training needs to go on: weights, optimizer, step and log, in one file."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bertsquad import tensorfile
from bertsquad.console.errors import UserError
from bertsquad.training.stopping import Stopped, Stopping

_FILE_NAME = "state.safetensors"

# Saving a state may take at most this share of the time between two of them.
_SAVING_SHARE = 0.05


@dataclass(slots=True)
class History:
    """What a training has done so far: everything that is not a tensor."""

    log: list[dict[str, Any]] = field(default_factory=list)  # lines of training_log.jsonl
    elapsed_s: float = 0.0  # time spent training, over all interruptions

    @property
    def steps(self) -> int:
        """Steps that are done."""
        return len(self.log)


class TrainingState:
    """The state file of one training, identified by the facts that decide its outcome.

    `facts` (JSON values: checksums of inputs, hyperparameters, sources, versions) are stored beside
    the tensors; a state of other facts is of another training and is never continued.
    """

    def __init__(self, folder: str | Path, facts: Mapping[str, Any]) -> None:
        self.path = Path(folder) / _FILE_NAME
        self.facts = json.loads(json.dumps(facts))

    def save(self, model: nn.Module, optimizer: torch.optim.Optimizer, history: History) -> None:
        """Replace the file, whole or not at all; about 12 bytes a parameter, and a checksum."""
        metadata = {
            "facts": json.dumps(self.facts),
            "log": json.dumps(history.log),
            "elapsed_s": json.dumps(history.elapsed_s),
        }
        arrays = {name: tensor.numpy() for name, tensor in state_tensors(model, optimizer)}
        tensorfile.write_checked(self.path, arrays, metadata)

    @torch.no_grad()
    def restore(
        self, model: nn.Module, optimizer: torch.optim.Optimizer
    ) -> tuple[History, str | None]:
        """Load model and optimizer from the file; return the history, and why the file was refused.

        Without a file, or with one that is damaged or of other facts, nothing is touched and the
        history is empty. All of it is checked before the first value is copied.
        """
        if not self.path.exists():
            return History(), None
        try:
            arrays, metadata = tensorfile.read_checked(self.path)
            history, facts = _read_history(metadata)
        except UserError as error:
            return History(), f"damaged ({error})"
        other = differences(facts, self.facts)
        if other:
            return History(), f"of another training: {', '.join(other)} differ"
        own = dict(state_tensors(model, optimizer))
        if {name: array.shape for name, array in arrays.items()} != {
            name: tuple(tensor.shape) for name, tensor in own.items()
        }:
            return History(), "of a model with other tensors"
        for name, tensor in own.items():
            tensor.copy_(torch.from_numpy(arrays[name].copy()))
        return history, None

    def remove(self) -> None:
        """Delete the file, and the folder where nothing else is in it."""
        self.path.unlink(missing_ok=True)
        if self.path.parent.is_dir() and not any(self.path.parent.iterdir()):
            self.path.parent.rmdir()


def _read_history(metadata: Mapping[str, str]) -> tuple[History, Mapping[str, Any]]:
    """The history and the facts of a state file; `UserError` where they are not such."""
    try:
        facts, log, elapsed_s = (
            json.loads(metadata[name]) for name in ("facts", "log", "elapsed_s")
        )
    except (KeyError, ValueError, RecursionError) as error:
        raise UserError(f"no {error} that can be read") from None
    if not isinstance(facts, dict) or not isinstance(log, list):
        raise UserError("its facts and log are not an object and a list")
    if not all(isinstance(line, dict) for line in log):
        raise UserError("a line of its log is not an object")
    if not isinstance(elapsed_s, int | float) or not math.isfinite(elapsed_s):
        raise UserError("its time is not a number")
    return History(log, float(elapsed_s)), facts


class Saving:
    """When a state is saved: every `seconds`, less often where saving would take more than
    _SAVING_SHARE of the time; or every `steps`, if given."""

    def __init__(self, seconds: float, steps: int | None, saved: int = 0) -> None:
        self.seconds = seconds
        self.steps = steps
        self.saved = saved  # steps that the last state holds
        self.last = time.monotonic()
        self.cost_s = 0.0  # of the last one

    def is_due(self, done: int) -> bool:
        """Whether to save now that so many steps are done."""
        if self.steps:
            return done % self.steps == 0
        return time.monotonic() - self.last > max(self.seconds, self.cost_s / _SAVING_SHARE)

    def save(
        self,
        state: TrainingState,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        history: History,
    ) -> None:
        """Save, and remember when and how long it took."""
        started = time.monotonic()
        state.save(model, optimizer, history)
        self.last = time.monotonic()
        self.cost_s = self.last - started
        self.saved = history.steps

    @contextmanager
    def when_stopped(
        self,
        state: TrainingState,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        history: History,
        *,
        active: bool,
    ) -> Iterator[Stopping]:
        """Save also where a signal stops the block, unless all its steps are saved already."""
        with Stopping(active=active) as stopping:
            try:
                yield stopping
            except Stopped as stopped:
                stopped.steps = history.steps
                if history.steps > self.saved:
                    self.save(state, model, optimizer, history)
                raise


def state_tensors(
    model: nn.Module, optimizer: torch.optim.Optimizer
) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in model.named_parameters():
        yield f"parameter.{name}", parameter.detach()
        for moment in ("exp_avg", "exp_avg_sq"):
            yield f"{moment}.{name}", optimizer.state[parameter][moment]


def differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Dotted names of the facts that are not the same in both."""
    names = []
    for name in sorted(stored.keys() | wanted.keys()):
        a, b = stored.get(name), wanted.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            names += [f"{name}.{inner}" for inner in differences(a, b)]
        elif a != b:
            names.append(name)
    return names
