"""One product for several layers: autograd's results, and gradients summed in place."""

import weakref

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bertsquad.model.operations import linear
from bertsquad.model.operations.linear import Projection

TOKENS, WIDTH = 9, 6


def layers(*outputs, seed=0):
    torch.manual_seed(seed)
    return [nn.Linear(WIDTH, size) for size in outputs]


def rounded(tensor):
    return tensor.to(torch.bfloat16).float()


@pytest.mark.parametrize("onednn", [False, True])
@pytest.mark.parametrize("gelu", [None, "none", "tanh"])
@pytest.mark.parametrize("outputs", [(5,), (4, 4, 3)])
def test_fp32_equals_autograd(monkeypatch, outputs, gelu, onednn):
    monkeypatch.setattr(linear, "onednn_is_faster", lambda: onednn)
    ours, theirs = layers(*outputs), layers(*outputs)
    hidden = torch.randn(TOKENS, WIDTH, requires_grad=True)
    twin = hidden.detach().clone().requires_grad_()
    product = torch.cat([layer(twin) for layer in theirs], dim=1)
    expected = product if gelu is None else F.gelu(product, approximate=gelu)
    found = Projection(*ours, gelu=gelu)(hidden)
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(found)
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(hidden.grad, twin.grad)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.weight.grad, b.weight.grad)
        torch.testing.assert_close(a.bias.grad, b.bias.grad)


def test_bf16_rounds_operands_and_products_and_nothing_else():
    (layer,) = layers(5)
    hidden = rounded(torch.randn(TOKENS, WIDTH)).requires_grad_()
    found = Projection(layer)(hidden.to(torch.bfloat16))
    expected = F.linear(hidden, rounded(layer.weight), rounded(layer.bias))
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), rounded(expected))
    gradient = rounded(torch.randn(TOKENS, 5))
    found.backward(gradient.to(torch.bfloat16))
    assert layer.weight.grad.dtype == torch.float32
    torch.testing.assert_close(layer.weight.grad, rounded(gradient.T @ hidden.detach()))
    torch.testing.assert_close(layer.bias.grad, rounded(gradient.sum(0)))
    torch.testing.assert_close(hidden.grad, rounded(gradient @ rounded(layer.weight.detach())))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_micro_batches_are_summed_in_fp32(dtype):
    (layer,) = layers(5)
    projection = Projection(layer)
    hidden = [torch.randn(TOKENS, WIDTH).to(dtype) for _ in range(300)]
    alone = []
    for piece in hidden:
        projection(piece).float().sum().backward()
        alone.append(layer.weight.grad.double())
        layer.weight.grad = None
    for piece in hidden:
        projection(piece).float().sum().backward()
    exact = sum(alone)
    torch.testing.assert_close(layer.weight.grad.double(), exact, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_copies_follow_the_weights_and_are_made_once(dtype):
    query, key = layers(4, 3)
    projection = Projection(query, key)
    weight = projection.operands(dtype).weight
    before = weight.clone()
    assert projection.operands(dtype).weight is weight
    with torch.no_grad():
        key.weight.mul_(2)
    after = projection.operands(dtype).weight
    assert torch.equal(after[:4], before[:4])
    assert torch.equal(after[4:], 2 * before[4:])
    assert after is weight  # the same memory again


def test_released_copies_are_freed_and_made_again():
    (layer,) = layers(4)
    projection = Projection(layer)
    before = projection.operands(torch.bfloat16).weight
    freed = weakref.ref(before)
    kept = before.clone()
    del before
    projection.release()
    assert freed() is None
    assert torch.equal(projection.operands(torch.bfloat16).weight, kept)


def test_one_layer_in_fp32_needs_no_copy():
    (layer,) = layers(4)
    weight = Projection(layer).operands(torch.float32).weight
    assert weight.data_ptr() == layer.weight.data_ptr()


def test_copies_in_onednns_layout_follow_the_weights(monkeypatch):
    monkeypatch.setattr(linear, "onednn_is_faster", lambda: True)
    (layer,) = layers(4)
    projection, hidden = Projection(layer), torch.randn(TOKENS, WIDTH)
    before = projection(hidden)
    with torch.no_grad():
        layer.weight.mul_(2)
        layer.bias.mul_(2)
    torch.testing.assert_close(projection(hidden), 2 * before)


def test_whoever_waits_for_a_gradient_is_told_when_it_is_there():
    query, key = layers(4, 3)
    told = []
    for name, parameter in {"query": query.weight, "key bias": key.bias}.items():
        parameter.register_post_accumulate_grad_hook(
            lambda p, name=name: told.append((name, bool(p.grad.any())))
        )
    Projection(query, key)(torch.randn(TOKENS, WIDTH)).sum().backward()
    assert told == [("query", True), ("key bias", True)]
