"""What a training asks of the processes that share it, and the answers of one process alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import nn

from bertsquad.training.state import History, TrainingState


class Team(Protocol):
    """The processes of one training, as one of them sees them.

    Every process makes the same calls in the same order, and a UserError is raised by all.
    """

    @property
    def leader(self) -> bool:
        """Whether this process is the one that talks, and writes files."""
        ...

    @property
    def size(self) -> int:
        """How many processes there are."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: Any) -> None:
        """Part; where all have met the same error, only the leader goes on raising it."""
        ...

    def together(self, work: Callable[[], Any]) -> Any:
        """What `work` returns to this process; UserError where a user's mistake stops any."""
        ...

    def require_same(self, facts: dict[str, Any]) -> None:
        """UserError where these differ between processes."""
        ...

    def share(self, batch: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """This process's part of a step's examples; may be empty."""
        ...

    def dropout_seed(self, words: list[int]) -> list[int]:
        """What seeds the dropout of this process's micro-batch."""
        ...

    def prepare_gradients(self, model: nn.Module) -> None:
        """Before the first step: where gradients are to be summed, give them their place."""
        ...

    def clear_gradients(self, model: nn.Module) -> None:
        """Between two steps: none is left."""
        ...

    def last_backward_follows(self) -> None:
        """The next backward pass is this step's last one here: gradients may leave as they come."""
        ...

    def sum(self, loss: float) -> float:
        """Sum over processes: all gradients, in place, and the loss that is returned."""
        ...

    def leaders(self, work: Callable[[], Any]) -> Any:
        """What `work` returns to the leader, to all."""
        ...

    def restore(
        self, state: TrainingState, model: nn.Module, optimizer: torch.optim.Optimizer
    ) -> tuple[History, str | None]:
        """As TrainingState.restore; then every process has the leader's weights and moments."""
        ...


class Alone:
    """One process: nothing to share, nothing to wait for."""

    leader = True
    size = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def together(self, work: Callable[[], Any]) -> Any:
        return work()

    def require_same(self, facts: dict[str, Any]) -> None:
        pass

    def share(self, batch: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        return batch

    def dropout_seed(self, words: list[int]) -> list[int]:
        return words

    def prepare_gradients(self, model: nn.Module) -> None:
        pass

    def clear_gradients(self, model: nn.Module) -> None:
        # Freed, not zeroed: the next step's activations lie in their memory, and the first part of
        # a gradient needs no zeros to be added to.
        model.zero_grad()

    def last_backward_follows(self) -> None:
        pass

    def sum(self, loss: float) -> float:
        return loss

    def leaders(self, work: Callable[[], Any]) -> Any:
        return work()

    def restore(
        self, state: TrainingState, model: nn.Module, optimizer: torch.optim.Optimizer
    ) -> tuple[History, str | None]:
        return state.restore(model, optimizer)


ALONE = Alone()
