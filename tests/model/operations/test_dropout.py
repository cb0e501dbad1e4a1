"""Dropout's masks: how often, how independent, and the same for the same words."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsquad.model.operations.dropout import Masks, dropout, scale


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_values_are_dropped_at_the_rate(rate):
    mask = Masks([7]).draw((1000, 1000), rate)
    assert mask.dtype == torch.int8
    assert set(mask.unique().tolist()) == {0, 1}
    # Each mean has a standard deviation of at most 0.016.
    assert (1 - mask.float().mean(0) - rate).abs().max() < 0.08
    assert (1 - mask.float().mean(1) - rate).abs().max() < 0.08
    assert 1 - mask.float().mean().item() == pytest.approx(rate, abs=0.002)


def test_neighbours_are_dropped_independently():
    dropped = 1 - Masks([7]).draw((1_000_000,), 0.1).float()
    for distance in (1, 2, 3, 4, 384):
        both = (dropped[distance:] * dropped[:-distance]).mean().item()
        assert both == pytest.approx(0.01, abs=0.0005)


def test_what_is_kept_is_scaled_so_that_the_expectation_stays():
    kept = dropout(torch.ones(1_000_000), Masks([3]).draw((1_000_000,), 0.1), 0.1)
    assert sorted(kept.unique().tolist()) == [0.0, pytest.approx(1 / 0.9, rel=1e-5)]
    assert kept.mean().item() == pytest.approx(1, abs=0.002)


def test_without_dropout_there_is_no_mask():
    assert Masks([0]).draw((2, 3), 0.0) is None
    hidden = torch.randn(2, 3)
    assert dropout(hidden, None, 0.0) is hidden


@settings(max_examples=20, deadline=None)
@given(
    words=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5),
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    rate=st.floats(0.1, 0.999999),
)
def test_the_same_words_give_the_same_masks(words, shape, rate):
    first, again = Masks(words), Masks(words)
    for _ in range(2):
        mask = first.draw(shape, rate)
        assert mask.shape == tuple(shape)
        assert torch.equal(mask, again.draw(shape, rate))
    assert 1 < scale(rate) < 2**17


@pytest.mark.parametrize("other", [[1, 2, 4], [1, 3, 3], [2, 2, 3], [1, 2, 3, 1]])
def test_other_words_give_other_masks(other):
    draw = [Masks(words).draw((64,), 0.5) for words in ([1, 2, 3], other)]
    assert not torch.equal(*draw)


def test_a_stream_does_not_repeat_itself():
    masks = Masks([1])
    assert not torch.equal(masks.draw((64,), 0.5), masks.draw((64,), 0.5))
