"""Attention with dropout equals PyTorch's own operations with the same mask."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsquad.model import matmul
from bertsquad.model.operations import attention as operations
from bertsquad.model.operations.attention import attention
from bertsquad.model.operations.dropout import Masks, scale

HEADS, SIZE = 3, 4
WIDTH = HEADS * SIZE


def reference(projected, runs, rate, words):
    """Sequence by sequence, by operations that autograd knows."""
    masks, outputs, start = Masks(words), [], 0
    for count, length in runs:
        mask = masks.draw((count * HEADS, length, length), rate)
        for number in range(count):
            rows = projected[start : start + length].view(length, 3, HEADS, SIZE)
            query, key, value = rows.permute(1, 2, 0, 3)
            probabilities = (query @ key.mT / SIZE**0.5).softmax(-1)
            if mask is not None:
                probabilities = probabilities * mask.view(count, HEADS, length, length)[number]
                probabilities = probabilities * scale(rate)
            outputs.append((probabilities @ value).transpose(0, 1).reshape(length, WIDTH))
            start += length
    return torch.cat(outputs)


@settings(max_examples=25, deadline=None)
@given(
    runs=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 12)), min_size=1, max_size=4),
    rate=st.sampled_from([0.0, 0.1, 0.6]),
)
def test_outputs_and_gradients_equal_autograds(runs, rate):
    tokens = sum(count * length for count, length in runs)
    generator = torch.Generator().manual_seed(tokens)
    values = torch.randn(tokens, 3 * WIDTH, generator=generator, dtype=torch.float64)
    of_output = torch.randn(tokens, WIDTH, generator=generator, dtype=torch.float64)
    ours, theirs = (values.clone().requires_grad_() for _ in range(2))
    found = attention(ours, runs, HEADS, rate, Masks([5]))
    expected = reference(theirs, runs, rate, [5])
    torch.testing.assert_close(found, expected)
    found.backward(of_output)
    expected.backward(of_output)
    torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_bf16_differs_by_rounding_alone(monkeypatch, rate, native):
    if native and not matmul.bf16_native():
        pytest.skip("this processor has no BF16 products")
    monkeypatch.setattr(operations, "bf16_native", lambda: native)
    monkeypatch.setattr(matmul, "bf16_native", lambda: native)
    assert (operations.form_of(torch.bfloat16, SIZE) == "emulated") is not native
    runs = [(1, 40), (2, 17)]
    torch.manual_seed(0)
    values = torch.randn(74, 3 * WIDTH).to(torch.bfloat16)
    ours, theirs = values.clone().requires_grad_(), values.float().requires_grad_()
    found = attention(ours, runs, HEADS, rate, Masks([5]))
    expected = reference(theirs, runs, rate, [5])
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, rtol=0.02, atol=0.02)
    of_output = torch.randn_like(expected).to(torch.bfloat16)
    found.backward(of_output)
    expected.backward(of_output.float())
    assert (ours.grad.float() - theirs.grad).norm() < 0.01 * theirs.grad.norm()


def test_dropout_keeps_the_expectation():
    runs = [(1, 5)]
    projected = torch.randn(5, 3 * WIDTH, generator=torch.Generator().manual_seed(0))
    drawn = [attention(projected, runs, HEADS, 0.3, Masks([n])) for n in range(4000)]
    torch.testing.assert_close(
        torch.stack(drawn).mean(0), attention(projected, runs, HEADS, 0.0, Masks([0])),
        rtol=0, atol=0.06,
    )  # fmt: skip
