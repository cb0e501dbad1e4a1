"""Gradients that backward functions add in place, where autograd would want a tensor for each.

A backward function that has done so returns None for the parameter, and autograd still calls the
hooks of `register_post_accumulate_grad_hook`.
"""

import torch
from torch import Tensor


def add_gradient(parameter: Tensor, part: Tensor) -> None:
    """Add `part`, a tensor of nobody else, to the parameter's gradient.

    The first one of a step becomes the gradient itself: no zeros are written and read.
    """
    if parameter.grad is None:
        parameter.grad = part.to(parameter.dtype)
    else:
        parameter.grad.add_(part)


def add_product(parameter: Tensor, left: Tensor, right: Tensor) -> None:
    """Add left @ right, in the parameter's type: BLAS adds to a sum for free."""
    if parameter.grad is None:
        parameter.grad = left @ right
    else:
        parameter.grad.addmm_(left, right)


def gradient_of(parameter: Tensor) -> Tensor:
    """The tensor that the parameter's gradient is summed in; zero before the first."""
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad
