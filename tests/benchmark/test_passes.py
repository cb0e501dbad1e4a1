"""A whole set at hand: nothing is lost, and few features still keep all threads busy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.benchmark.passes import plan_of_few, run_through
from bertsquad.benchmark.squad_lengths import read_lengths
from bertsquad.data.batching import by_length, by_tokens


class Engine:
    """Batches of up to `budget` tokens; loses the batches numbered `lost`."""

    name = "metronome"

    def __init__(self, threads=1, budget=2048, lost=()):
        self.threads, self.budget, self.lost = threads, budget, lost

    def plan(self, lengths):
        return by_tokens(by_length(lengths), lengths, self.budget)

    def stream(self, batches):
        return (batch for number, batch in enumerate(batches) if number not in self.lost)


def test_an_engine_that_loses_a_batch_is_found_out():
    run_through(Engine(), "abcd")
    with pytest.raises(RuntimeError, match="metronome answered 3 of 4 batches"):
        run_through(Engine(lost={3}), "abcd")


def test_few_features_are_planned_in_pieces_that_keep_all_threads_busy():
    lengths = np.sort(spread := read_lengths()[:: 10833 // 96][:96])
    assert len(by_tokens(by_length(spread), spread, 2048)) == 9
    sizes = [len(batch) for batch in plan_of_few(Engine(threads=2), lengths)]
    assert len(sizes) >= 16
    assert sum(sizes) == 96


def test_a_plan_of_many_batches_stays_as_it_is():
    lengths = np.sort(read_lengths()[::10])
    batches = plan_of_few(Engine(threads=2), lengths)
    expected = by_tokens(by_length(lengths), lengths, 2048)
    assert [batch.tolist() for batch in batches] == [batch.tolist() for batch in expected]


@given(
    st.lists(st.integers(1, 384), min_size=1, max_size=80).map(sorted),
    st.integers(1, 64),
    st.integers(1, 3000),
)
def test_a_plan_holds_every_feature_once(lengths, threads, budget):
    batches = plan_of_few(Engine(threads, budget), np.array(lengths))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
