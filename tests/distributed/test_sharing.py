"""How processes share a step's examples."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.distributed.sharing import shares

LENGTHS = np.array([384, 100, 120, 384, 50, 60, 70, 200], dtype=np.int32)


def test_tokens_decide_and_not_examples():
    found = shares(np.arange(8), LENGTHS, 2)
    assert [part.tolist() for part in found] == [[0, 7, 6, 4], [3, 2, 1, 5]]
    assert [int(LENGTHS[part].sum()) for part in found] == [704, 664]


def test_one_process_gets_everything():
    assert sorted(shares(np.array([5, 2, 7]), LENGTHS, 1)[0].tolist()) == [2, 5, 7]


def test_with_fewer_examples_than_processes_some_get_none():
    assert [part.tolist() for part in shares(np.array([4, 7]), LENGTHS, 4)] == [[7], [4], [], []]


@given(
    lengths=st.lists(st.integers(1, 512), min_size=1, max_size=60),
    processes=st.integers(1, 9),
    seed=st.integers(0, 99),
)
def test_every_example_is_in_one_part_and_the_parts_are_even(lengths, processes, seed):
    lengths = np.array(lengths, dtype=np.int32)
    batch = np.random.default_rng(seed).permutation(len(lengths))
    found = shares(batch, lengths, processes)
    assert len(found) == processes
    assert sorted(np.concatenate(found).tolist()) == list(range(len(lengths)))
    tokens = [int(lengths[part].sum()) for part in found]
    assert max(tokens) - min(tokens) <= lengths.max()
    again = shares(batch, lengths, processes)
    assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))


def test_an_example_that_the_batch_holds_twice_is_computed_twice():
    """As with ranks that all read the same records."""
    found = shares(np.array([3, 3, 4, 4]), LENGTHS, 2)
    assert [part.tolist() for part in found] == [[3, 4], [3, 4]]
