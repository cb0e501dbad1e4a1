"""One product for several layers: autograd's results, and gradients summed in place."""

import weakref

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bertsquad.model import matmul
from bertsquad.model.operations.linear import Projection

TOKENS, WIDTH = 9, 6


def layers(*outputs, seed=0):
    torch.manual_seed(seed)
    return [nn.Linear(WIDTH, size) for size in outputs]


def rounded(tensor):
    return tensor.to(torch.bfloat16).float()


@pytest.fixture(params=["onednn", "blas"])
def products(request, monkeypatch):
    """As on either kind of processor."""
    monkeypatch.setattr(matmul, "fp32_products", lambda: request.param)
    monkeypatch.setattr(matmul, "fp32_weight_gradients", lambda: request.param)
    return request.param


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("gelu", [None, "none", "tanh"])
@pytest.mark.parametrize("outputs", [(5,), (4, 4, 3)])
def test_fp32_equals_autograd(products, outputs, gelu, keep):
    ours, theirs = layers(*outputs), layers(*outputs)
    hidden = torch.randn(TOKENS, WIDTH, requires_grad=True)
    twin = hidden.detach().clone().requires_grad_()
    product = torch.cat([layer(twin) for layer in theirs], dim=1)
    expected = product if gelu is None else F.gelu(product, approximate=gelu)
    found = Projection(*ours, gelu=gelu)(hidden, keep)
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(found)
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(hidden.grad, twin.grad)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.weight.grad, b.weight.grad)
        torch.testing.assert_close(a.bias.grad, b.bias.grad)


def test_gradients_of_both_kinds_of_processor_differ_by_the_order_of_sums_alone(monkeypatch):
    hidden, gradient = torch.randn(500, 64), torch.randn(500, 96)
    found = {}
    for kind in ("onednn", "blas"):
        monkeypatch.setattr(matmul, "fp32_products", lambda kind=kind: kind)
        monkeypatch.setattr(matmul, "fp32_weight_gradients", lambda kind=kind: kind)
        torch.manual_seed(0)
        layer, leaf = nn.Linear(64, 96), hidden.clone().requires_grad_()
        Projection(layer)(leaf).backward(gradient)
        found[kind] = torch.cat([layer.weight.grad.flatten(), leaf.grad.flatten()])
    difference = (found["onednn"] - found["blas"]).norm() / found["blas"].norm()
    assert difference < 1e-6


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("native", [False, True])
def test_bf16_rounds_operands_and_products_and_nothing_else(monkeypatch, native, keep):
    if native and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("oneDNN has no BF16 products on this processor")
    monkeypatch.setattr(matmul, "bf16_native", lambda: native)
    (layer,) = layers(5)
    hidden = rounded(torch.randn(TOKENS, WIDTH)).requires_grad_()
    found = Projection(layer)(hidden.to(torch.bfloat16), keep)
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
def test_micro_batches_are_summed_in_fp32(products, dtype):
    (layer,) = layers(5)
    projection = Projection(layer)
    hidden = [torch.randn(TOKENS, WIDTH).to(dtype) for _ in range(300)]
    alone = []
    for piece in hidden:
        projection(piece, keep=True).float().sum().backward()
        alone.append(layer.weight.grad.double())
        layer.weight.grad = None
    for piece in hidden:
        projection(piece, keep=True).float().sum().backward()
    exact = sum(alone)
    torch.testing.assert_close(layer.weight.grad.double(), exact, rtol=1e-5, atol=1e-4)


KINDS = ["plain", "packed", "transposed"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_copies_that_are_kept_are_made_once_and_follow_the_weights(dtype, kind):
    query, key = layers(4, 3)
    projection = Projection(query, key)
    before = projection.weight(kind, dtype, keep=True)
    assert projection.weight(kind, dtype, keep=True) is before
    with torch.no_grad():
        key.weight.mul_(2)
    assert projection.weight(kind, dtype, keep=True) is not before
    after = projection.weight("plain", dtype, keep=True)
    assert torch.equal(after, torch.cat([query.weight, key.weight]).to(dtype))


@pytest.mark.parametrize("kind", KINDS)
def test_copies_that_are_not_kept_live_as_long_as_their_product(kind):
    copy = weakref.ref(Projection(*layers(4, 3)).weight(kind, torch.bfloat16, keep=False))
    assert copy() is None


def test_one_layer_in_fp32_needs_no_copy():
    (layer,) = layers(4)
    weight = Projection(layer).weight("plain", torch.float32, keep=False)
    assert weight.data_ptr() == layer.weight.data_ptr()


def test_packed_copies_hold_no_plain_one_beside_them(products):
    query, key = layers(4, 3)
    projection = Projection(query, key)
    projection(torch.randn(TOKENS, WIDTH), keep=True).sum().backward()
    kinds = {"blas": ["plain"], "onednn": ["packed", "transposed"]}[products]
    assert [kind for kind, _ in projection.kept] == kinds


@pytest.mark.parametrize("keep", [False, True])
def test_products_follow_the_weights(products, keep):
    (layer,) = layers(4)
    projection, hidden = Projection(layer), torch.randn(TOKENS, WIDTH)
    before = projection(hidden, keep)
    with torch.no_grad():
        layer.weight.mul_(2)
        layer.bias.mul_(2)
    torch.testing.assert_close(projection(hidden, keep), 2 * before)


def test_whoever_waits_for_a_gradient_is_told_when_it_is_there():
    query, key = layers(4, 3)
    told = []
    for name, parameter in {"query": query.weight, "key bias": key.bias}.items():
        parameter.register_post_accumulate_grad_hook(
            lambda p, name=name: told.append((name, bool(p.grad.any())))
        )
    Projection(query, key)(torch.randn(TOKENS, WIDTH)).sum().backward()
    assert told == [("query", True), ("key bias", True)]
