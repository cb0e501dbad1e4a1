"""Packed batches as rectangles: every feature once, bounded read-ahead, errors in the caller."""

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.data.batching import pack
from bertsquad.engines.rectangles import GROUP_SIZE, answers, equal_lengths


def batch_of(lengths, first=0):
    ids = np.split(np.arange(first, first + sum(lengths)), np.cumsum(lengths)[:-1])
    return pack(ids, [np.full(n, 7) for n in lengths])


def echo(input_ids, segment_ids):
    """The tokens themselves and what is added to them."""
    assert (segment_ids == 7).all()
    return lambda: (input_ids.astype(np.float32), -input_ids.astype(np.float32))


@given(
    batches=st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=12), max_size=5),
    at_once=st.integers(1, 5),
)
def test_every_batch_gets_the_logits_of_its_own_tokens(batches, at_once):
    packed = [batch_of(lengths, first=100 * n) for n, lengths in enumerate(batches)]
    found = list(answers(packed, echo, at_once=at_once))
    assert [answered.batch for answered in found] == packed
    for batch, start, end in found:
        assert start.tolist() == batch.input_ids.tolist()
        assert end.tolist() == (-batch.input_ids).tolist()


@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=40))
def test_a_group_has_one_length_and_a_bounded_size(lengths):
    lengths = np.array(lengths)
    groups = equal_lengths(lengths)
    assert sorted(np.concatenate(groups).tolist()) == list(range(len(lengths)))
    assert all(len(set(lengths[group])) == 1 and len(group) <= GROUP_SIZE for group in groups)
    longest = [lengths[group].max() for group in groups]
    assert longest == sorted(longest, reverse=True)


def test_batches_are_read_no_further_than_they_are_begun():
    read = []

    def batches():
        for number in range(10):
            read.append(number)
            yield batch_of([3])

    stream = answers(batches(), echo, at_once=3)
    next(stream)
    assert read == [0, 1, 2]


def test_no_more_is_under_way_than_allowed():
    under_way, most = deque(), []

    def start(input_ids, segment_ids):
        under_way.append(input_ids)
        most.append(len(under_way))
        return lambda: (under_way.popleft(), input_ids)

    list(answers([batch_of([1, 2, 3, 4]), batch_of([5])], start, at_once=2))
    assert max(most) == 2


def test_an_error_is_raised_in_the_caller_and_nothing_is_left_under_way():
    ended = []

    def start(input_ids, segment_ids):
        def wait():
            ended.append(input_ids.shape[1])
            if input_ids.shape[1] == 4:
                raise RuntimeError("broken")
            return input_ids, input_ids

        return wait

    batches = [batch_of([length]) for length in (5, 4, 3, 2)]
    stream = answers(batches, start, at_once=2)
    assert next(stream).batch is batches[0]
    with pytest.raises(RuntimeError, match="broken"):
        next(stream)
    assert ended == [5, 4, 3]
