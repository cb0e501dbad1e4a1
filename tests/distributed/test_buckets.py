"""Gradients that leave, bucket by bucket, as the backward pass makes them final."""

import copy

import pytest
import torch
from torch import nn

from bertsquad.distributed.buckets import Buckets


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(*(nn.Linear(8, 8) for _ in range(4)))


@pytest.fixture
def sent():
    return []


def collected(model, sent, bucket_bytes=300):
    """The model's buckets; what is sent is noted as (bucket number, its values then)."""
    buckets = Buckets(
        model,
        lambda bucket: sent.append(([b is bucket for b in buckets.buckets].index(True), +bucket)),
        bucket_bytes,
    )
    return buckets


def backward(model, seed):
    generator = torch.Generator().manual_seed(seed)
    model(torch.randn(5, 8, generator=generator)).square().sum().backward()


def test_gradients_are_views_and_equal_those_of_plain_backward_passes(sent):
    model = make_model()
    plain = copy.deepcopy(model)
    buckets = collected(model, sent)
    assert len(buckets.buckets) == 4
    for seed in (1, 2):
        backward(plain, seed)
        backward(model, seed)
    for a, b in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad)
        assert any(a.grad.untyped_storage().data_ptr() == x.data_ptr() for x in buckets.buckets)


def test_nothing_leaves_before_the_last_backward_pass(sent):
    model = make_model()
    buckets = collected(model, sent)
    backward(model, 1)
    assert sent == []
    buckets.arm()
    backward(model, 2)
    assert [number for number, _ in sent] == [0, 1, 2, 3]
    for number, values in sent:  # final when sent: nothing has been added since
        assert torch.equal(values, buckets.buckets[number])
    buckets.flush()
    assert len(sent) == 4


def test_the_last_layer_leaves_while_the_first_is_still_computed(sent):
    model = make_model()
    buckets = collected(model, sent)
    seen = []
    model[0].weight.register_hook(lambda grad: seen.append(len(sent)))
    buckets.arm()
    backward(model, 1)
    assert seen == [3]


def test_without_a_backward_pass_zeros_leave_in_the_same_order(sent):
    buckets = collected(make_model(), sent)
    buckets.flush()
    assert [number for number, _ in sent] == [0, 1, 2, 3]
    assert not any(values.any() for _, values in sent)


def test_a_parameter_without_a_gradient_holds_back_its_bucket_until_flushed(sent):
    model = make_model()
    model.append(nn.Linear(8, 8))  # the first bucket
    buckets = collected(model, sent)
    buckets.arm()
    backward(model[:4], 1)
    assert sent == []
    buckets.flush()
    assert [number for number, _ in sent] == [0, 1, 2, 3, 4]


def test_a_gradient_that_left_its_bucket_is_a_bug(sent):
    model = make_model()
    buckets = collected(model, sent)
    model.zero_grad()  # set to None
    buckets.arm()
    with pytest.raises(RuntimeError, match="left its bucket"):
        backward(model, 1)
