"""Gradients that backward functions add in place, where autograd would want a tensor for each."""

import torch
from torch import Tensor


def gradient_of(parameter: Tensor) -> Tensor:
    """The tensor that the parameter's gradient is summed in; zero before the first.

    A backward function that has added to it returns None for the parameter, and autograd still
    calls the hooks of `register_post_accumulate_grad_hook`.
    """
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad
