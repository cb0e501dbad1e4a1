"""The optimizer equals BERT's own, written out in numpy."""

import math

import numpy as np
import pytest
import torch

from bertsquad.training.optimizer import adam_weight_decay, clip_by_global_norm, update

NAMES = {
    "bert.embeddings.word_embeddings.weight": True,
    "bert.embeddings.LayerNorm.weight": False,
    "bert.encoder.layer.0.output.dense.weight": True,
    "bert.encoder.layer.0.output.dense.bias": False,
    "bert.encoder.layer.0.output.layer_norm.weight": False,
    "qa_outputs.weight": True,
    "qa_outputs.bias": False,
}


def reference(weights, gradients, rates, weight_decay, max_norm=1.0):
    """optimization.py, literally: clip_by_global_norm, then AdamWeightDecayOptimizer."""
    m = {name: np.zeros_like(weight) for name, weight in weights.items()}
    v = {name: np.zeros_like(weight) for name, weight in weights.items()}
    weights = dict(weights)
    for gradient, rate in zip(gradients, rates, strict=True):
        norm = np.sqrt(sum((g**2).sum() for g in gradient.values()))
        for name, decayed in NAMES.items():
            g = gradient[name] * max_norm / max(norm, max_norm)
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g**2
            u = m[name] / (np.sqrt(v[name]) + 1e-6)
            if decayed:
                u = u + weight_decay * weights[name]
            weights[name] = weights[name] - rate * u
    return weights


@pytest.mark.parametrize("size", [1e-4, 0.1, 10.0])
def test_steps_equal_the_original(size):
    rng = np.random.default_rng(0)
    shapes = {name: (3, 5) if name.endswith("weight") else (5,) for name in NAMES}
    weights = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    gradients = [
        {name: size * rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(12)
    ]
    rates = [0.0, 1e-3, 2e-3, *[5e-3] * 9]

    parameters = {
        name: torch.nn.Parameter(torch.tensor(weight, dtype=torch.float64))
        for name, weight in weights.items()
    }
    optimizer = adam_weight_decay(parameters.items(), weight_decay=0.01)
    for gradient, rate in zip(gradients, rates, strict=True):
        for name, parameter in parameters.items():
            parameter.grad = torch.tensor(gradient[name])
        clip_by_global_norm([parameter.grad for parameter in parameters.values()], 1.0)
        update(optimizer, rate)

    expected = reference(weights, gradients, rates, weight_decay=0.01)
    for name, parameter in parameters.items():
        np.testing.assert_allclose(parameter.detach().numpy(), expected[name], rtol=1e-9, atol=0)


def test_the_first_update_of_a_single_weight():
    """No bias correction: m = 0.1 g and v = 0.001 g^2, so the step is 3.16 times the rate."""
    weight = torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    optimizer = adam_weight_decay([("dense.weight", weight)], weight_decay=0.01)
    weight.grad = torch.tensor([0.5], dtype=torch.float64)
    update(optimizer, 0.1)
    expected = 2.0 - 0.1 * (0.05 / (math.sqrt(0.00025) + 1e-6) + 0.01 * 2.0)
    assert weight.item() == pytest.approx(expected, rel=1e-12)


def test_a_small_gradient_is_not_clipped():
    gradients = [torch.tensor([0.6]), torch.tensor([0.0, 0.8])]
    assert clip_by_global_norm(gradients, 1.0) == pytest.approx(1.0)
    assert [g.tolist() for g in gradients] == [[pytest.approx(0.6)], [0.0, pytest.approx(0.8)]]


def test_a_large_gradient_keeps_its_direction():
    gradients = [torch.tensor([3.0]), torch.tensor([0.0, 4.0])]
    assert clip_by_global_norm(gradients, 1.0) == pytest.approx(5.0)
    assert [g.tolist() for g in gradients] == [[pytest.approx(0.6)], [0.0, pytest.approx(0.8)]]
