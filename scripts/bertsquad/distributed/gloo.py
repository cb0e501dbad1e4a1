"""The processes of one training, connected by PyTorch's gloo."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Self

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from bertsquad.console.errors import USAGE_STATUS, UserError, explain, leave_at_once, note
from bertsquad.distributed.buckets import Buckets
from bertsquad.distributed.sharing import shares
from bertsquad.distributed.worker import LOST_CONTACT_STATUS, Worker
from bertsquad.machine.binding import bind_cpus
from bertsquad.training.state import History, TrainingState, differences, state_tensors

# No limit to how long a process may wait for another, which may be writing gigabytes: whether the
# others are alive is for the supervisors to find out.
_COLLECTIVE_TIMEOUT = timedelta(days=30)

# Seconds that a failed process waits before it exits, so that the process which knows the cause
# reports first.
_EXIT_DELAY_S = 5.0


class GlooTeam:
    """One of several processes, from `join` on; the Team of bertsquad.training.team."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.leader = worker.rank == 0
        self.size = worker.size
        self.pending: list[dist.Work] = []
        self.buckets: Buckets | None = None

    @classmethod
    def join(cls, worker: Worker) -> GlooTeam:
        """Meet the others; returns when all are there.

        Gloo's threads are started here and inherit the cores of the one that starts them: those
        kept for communication, where there are any.
        """
        if worker.communication_cpus:
            bind_cpus(worker.communication_cpus)
        leave_at_once()  # threads of gloo may outlive even a group that was destroyed
        with _peers_required():
            dist.init_process_group("gloo", timeout=_COLLECTIVE_TIMEOUT)
        if worker.communication_cpus:
            bind_cpus(worker.cpus)
        return cls(worker)

    def together(self, work: Callable[[], Any]) -> Any:
        result, message = None, None
        try:
            result = work()
        except Exception as error:
            message = explain(error)
            if message is None:
                raise
        for rank, found in enumerate(self._gather((self.worker.host, message))):
            host, message = found
            if message is not None:
                raise UserError(message if rank == 0 or not host else f"on host {host}: {message}")
        return result

    def require_same(self, facts: dict[str, Any]) -> None:
        first, *others = self._gather((self.worker.host, facts))
        for host, found in others:
            other = differences(first[1], found)
            if other:
                raise UserError(
                    f"host {host} would train something else than {first[0]}: {', '.join(other)} "
                    "differ; give all hosts the same files and the same environment"
                )

    def share(self, batch: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        return shares(batch, lengths, self.worker.size)[self.worker.rank]

    def dropout_seed(self, words: list[int]) -> list[int]:
        return [*words, self.worker.rank]

    def prepare_gradients(self, model: nn.Module) -> None:
        self.buckets = Buckets(model, self._send)

    def clear_gradients(self, model: nn.Module) -> None:
        model.zero_grad(set_to_none=False)  # they stay in their buckets

    def last_backward_follows(self) -> None:
        if self.buckets is not None:
            self.buckets.arm()

    def sum(self, loss: float) -> float:
        total = torch.tensor([loss], dtype=torch.float64)
        if self.buckets is not None:
            self.buckets.flush()
        self._send(total)
        with _peers_required():
            for work in self.pending:
                work.wait()
        self.pending.clear()
        return total.item()

    def leaders(self, work: Callable[[], Any]) -> Any:
        answer = [work() if self.leader else None]
        with _peers_required():
            dist.broadcast_object_list(answer)
        return answer[0]

    def restore(
        self, state: TrainingState, model: nn.Module, optimizer: torch.optim.Optimizer
    ) -> tuple[History, str | None]:
        progress, refused = self.leaders(lambda: state.restore(model, optimizer))
        with _peers_required(), torch.no_grad():
            for _, tensor in state_tensors(model, optimizer):
                dist.broadcast(tensor, src=0)
        return progress, refused

    def _send(self, tensor: Tensor) -> None:
        with _peers_required():
            self.pending.append(dist.all_reduce(tensor, async_op=True))

    def same_threads(self, threads: int) -> int:
        """The fewest threads of any process: for all, since all get the same work, and since the
        number of threads decides how sums are rounded and all must keep the same weights."""
        fewest: int = min(self._gather(threads))
        return fewest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and issubclass(kind, UserError) and not self.leader:
            time.sleep(_EXIT_DELAY_S)  # until ended: the leader reports the error
            os._exit(USAGE_STATUS)
        if isinstance(error[0], SystemExit) and isinstance(error[0].code, int):
            sys.stderr.flush()  # asked to stop: the others are gone, and gloo would wait for them
            os._exit(error[0].code)
        if kind is None or issubclass(kind, UserError):
            dist.destroy_process_group()  # ends gloo's threads, most often

    def _gather(self, value: Any) -> list[Any]:
        values = [None] * self.worker.size
        with _peers_required():
            dist.all_gather_object(values, value)
        return values


@contextmanager
def _peers_required() -> Iterator[None]:
    """Where gloo fails because another process is gone: leave, and let the supervisor say why."""
    try:
        yield
    except RuntimeError as error:
        time.sleep(_EXIT_DELAY_S)
        # Nobody has ended this process for a better reason, so gloo's words are the only ones.
        note(str(error))
        os._exit(LOST_CONTACT_STATUS)
