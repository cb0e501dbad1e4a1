"""Gradients in a few large pieces, each summed over processes as soon as it is complete."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

# Large enough that latency is nothing, small enough that the first leaves early. As PyTorch's DDP.
_BUCKET_BYTES = 25 * 2**20
_ALIGNMENT = 16  # floats: every gradient starts on a cache line of its own


class Buckets:
    """All gradients of a model as views of flat buckets, float32, zero at first.

    Parameters lie in reverse order, because the backward pass reaches the last layer first. After
    `arm`, `send(bucket)` is called for each bucket in turn, during the backward pass, as soon as
    its gradients are final and all buckets before it have been sent: so every process sends them
    in the same order. `flush` sends what is left, as a parameter that got no gradient.
    """

    def __init__(
        self, model: nn.Module, send: Callable[[Tensor], None], bucket_bytes: int = _BUCKET_BYTES
    ) -> None:
        self.send = send
        self.buckets: list[Tensor] = []
        self.sizes: list[int] = []  # parameters of each bucket
        self.missing: list[int] = []  # gradients still to come
        self.sent = 0
        self.armed = False
        group: list[nn.Parameter] = []
        floats = 0
        for parameter in reversed(list(model.parameters())):
            group.append(parameter)
            floats += padded(parameter)
            if floats * 4 >= bucket_bytes:
                self._add(group)
                group, floats = [], 0
        if group:
            self._add(group)

    def _add(self, parameters: list[nn.Parameter]) -> None:
        bucket = torch.zeros(sum(map(padded, parameters)))
        number, start = len(self.buckets), 0
        for parameter in parameters:
            view = bucket[start : start + parameter.numel()].view_as(parameter)
            parameter.grad = view
            start += padded(parameter)
            parameter.register_post_accumulate_grad_hook(
                lambda parameter, number=number, view=view: self._final(number, parameter, view)
            )
        self.buckets.append(bucket)
        self.sizes.append(len(parameters))

    def arm(self) -> None:
        """The next backward pass makes gradients final."""
        self.missing, self.sent, self.armed = list(self.sizes), 0, True

    def _final(self, number: int, parameter: nn.Parameter, view: Tensor) -> None:
        if not self.armed:
            return
        if parameter.grad is None or parameter.grad.data_ptr() != view.data_ptr():
            raise RuntimeError("a gradient has left its bucket")
        self.missing[number] -= 1
        while self.sent < len(self.buckets) and not self.missing[self.sent]:
            self._send_next()

    def flush(self) -> None:
        """Send what has not been sent, whether or not there was a backward pass."""
        if not self.armed:
            self.arm()
        while self.sent < len(self.buckets):
            self._send_next()
        self.armed = False

    def _send_next(self) -> None:
        self.sent += 1
        self.send(self.buckets[self.sent - 1])


def padded(parameter: nn.Parameter) -> int:
    return -(-parameter.numel() // _ALIGNMENT) * _ALIGNMENT
