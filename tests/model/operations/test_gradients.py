"""Gradients that are summed in place: the first part is the sum, the next ones are added to it."""

import pytest
import torch
from torch import nn

from bertsquad.model.operations.gradients import add_gradient, add_product, gradient_of


@pytest.fixture
def parameter():
    return nn.Parameter(torch.zeros(2, 2))


def test_the_first_part_becomes_the_gradient_without_a_copy(parameter):
    part = torch.ones(2, 2)
    add_gradient(parameter, part)
    assert parameter.grad is part


def test_the_next_parts_are_added_in_place(parameter):
    add_gradient(parameter, torch.ones(2, 2))
    first = parameter.grad
    add_gradient(parameter, torch.full((2, 2), 2.0))
    assert parameter.grad is first
    assert first.tolist() == [[3.0, 3.0], [3.0, 3.0]]


def test_parts_in_bf16_are_summed_in_fp32(parameter):
    for value in (1.0, 2.0**-12):
        add_gradient(parameter, torch.full((2, 2), value, dtype=torch.bfloat16))
    assert parameter.grad.dtype == torch.float32
    assert parameter.grad[0, 0] == 1 + 2.0**-12  # BF16 has no such number


def test_products_are_added(parameter):
    left, right = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0, 4.0]])
    add_product(parameter, left, right)
    add_product(parameter, left, right)
    assert parameter.grad.tolist() == [[6.0, 8.0], [12.0, 16.0]]


def test_a_gradient_is_zero_before_its_first_part(parameter):
    assert gradient_of(parameter).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert gradient_of(parameter) is parameter.grad
