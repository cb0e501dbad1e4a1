"""BF16 products, native or emulated: rounded operands, exact products, rounded sums."""

import pytest
import torch
import torch.nn.functional as F

from bertsquad.model import matmul
from bertsquad.model.matmul import EmulatedLinear, bf16_linear, bf16_matmul

BF16 = torch.bfloat16


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def close_in_bf16(found, expected):
    """Equal but for sums that lie so near the middle of two BF16 numbers that their order tells."""
    assert found.dtype == expected.dtype == BF16
    torch.testing.assert_close(found, expected, rtol=2**-7, atol=1e-5)
    assert (found != expected).float().mean() < 0.02


@pytest.fixture(params=[True, False], ids=["pytorch's kernel", "emulated"])
def either_way(request, monkeypatch):
    monkeypatch.setattr(matmul, "bf16_native", lambda: request.param)


@pytest.mark.parametrize("shape", [(7, 24), (2, 5, 24)])
def test_operands_are_rounded_and_the_sum_is(either_way, shape):
    hidden, weight, bias = random(*shape), random(16, 24, seed=1), random(16, seed=2)
    exact = F.linear(*(tensor.to(BF16).double() for tensor in (hidden, weight, bias)))
    close_in_bf16(bf16_linear(hidden, weight, bias), exact.to(BF16))


def test_a_product_of_matrices(either_way):
    left, right = random(3, 4, 8), random(3, 8, 5, seed=1)
    exact = left.to(BF16).double() @ right.to(BF16).double()
    close_in_bf16(bf16_matmul(left, right), exact.to(BF16))


def test_a_small_addend_is_lost_by_rounding(either_way):
    """1 + 2**-9 has no BF16 number: operands and results are truly BF16."""
    one, little = torch.ones(1, 1), torch.full((1, 1), 2.0**-9)
    assert bf16_linear(one + little, one).item() == 1.0
    assert bf16_linear(torch.ones(1, 2), torch.cat([one, little], 1)).item() == 1.0


def test_gradients_are_those_of_pytorchs_own_bf16():
    gradients = {}
    for function in (F.linear, EmulatedLinear.apply):
        leaves = [
            random(2, 5, 24).requires_grad_(),
            random(16, 24, seed=1).requires_grad_(),
            random(16, seed=2).requires_grad_(),
        ]
        function(*(leaf.to(BF16) for leaf in leaves)).backward(random(2, 5, 16, seed=3).to(BF16))
        assert all(leaf.grad.dtype == torch.float32 for leaf in leaves)
        gradients[function] = [leaf.grad.to(BF16) for leaf in leaves]
    for found, expected in zip(*gradients.values(), strict=True):
        close_in_bf16(found, expected)


def test_no_gradient_is_computed_that_nobody_asked_for(monkeypatch):
    monkeypatch.setattr(matmul, "bf16_native", lambda: False)
    weight = random(16, 24).requires_grad_()
    bf16_linear(random(3, 24), weight).sum().backward()
    assert weight.grad.shape == (16, 24)
