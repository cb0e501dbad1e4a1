"""Dropout, residual sum and LayerNorm together equal the three of PyTorch."""

import pytest
import torch
from torch import nn

from bertsquad.model.operations.dropout import Masks, scale
from bertsquad.model.operations.normalization import add_norm

TOKENS, WIDTH = 7, 16


def norm():
    torch.manual_seed(1)
    made = nn.LayerNorm(WIDTH, eps=1e-12)
    nn.init.normal_(made.weight)
    nn.init.normal_(made.bias)
    return made


@pytest.mark.parametrize("rate", [0.0, 0.3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_outputs_and_gradients_equal_autograds(rate, dtype):
    hidden = torch.randn(TOKENS, WIDTH).to(dtype).requires_grad_()
    residual = torch.randn(TOKENS, WIDTH, requires_grad=True)
    twins = [tensor.detach().clone().requires_grad_() for tensor in (hidden, residual)]
    ours, theirs = norm(), norm()
    mask = Masks([2]).draw((TOKENS, WIDTH), rate)
    found = add_norm(hidden, residual, ours, mask, rate)
    kept = twins[0].float() if mask is None else twins[0].float() * mask * scale(rate)
    expected = theirs(kept + twins[1])
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected)
    gradient = torch.randn(TOKENS, WIDTH)
    found.backward(gradient)
    expected.backward(gradient)
    assert hidden.grad.dtype == dtype
    torch.testing.assert_close(hidden.grad, twins[0].grad)
    torch.testing.assert_close(residual.grad, twins[1].grad)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad)
