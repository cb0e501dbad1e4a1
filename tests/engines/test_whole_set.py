"""Logits come back in file order, whatever order they were computed in."""

from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bertsquad.console.errors import UserError
from bertsquad.data.batching import by_length, by_tokens
from bertsquad.engines import Answered
from bertsquad.engines.whole_set import compute_logits
from engines.small_run import QUESTION_LENGTH, write_features, write_finetuned

OTHERS = QUESTION_LENGTH + 3  # tokens of a feature that are not context


class Echo:
    """An engine whose logits are the tokens themselves; remembers its batches."""

    name, precision, threads = "echo", "fp32", 1

    def __init__(self, budget=2048):
        self.budget = budget
        self.batches = []

    def plan(self, lengths):
        return by_tokens(by_length(lengths), lengths, self.budget)

    def stream(self, batches):
        """The last one first: engines may answer in any order."""
        answered = [Answered(batch, *self.run(batch)) for batch in batches]
        return reversed(answered)

    def run(self, batch):
        self.batches.append(batch.indices.tolist())
        return batch.input_ids.astype(np.float32), -batch.positions.astype(np.float32)


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return write_finetuned(tmp_path_factory.mktemp("run"))


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # every example writes the file
)
@given(
    doc_lengths=st.lists(st.integers(1, 33), min_size=1, max_size=30), budget=st.integers(1, 200)
)
def test_every_feature_is_computed_once_and_lands_in_its_place(
    tmp_path, model_dir, doc_lengths, budget
):
    features = write_features(tmp_path / "features", model_dir, doc_lengths)
    engine = Echo(budget)
    start, end, starts = compute_logits(engine, features)
    in_file_order = features.packed(np.arange(len(features)))
    assert starts.tolist() == in_file_order.starts.tolist()
    assert start.tolist() == in_file_order.input_ids.tolist()
    assert (-end).tolist() == in_file_order.positions.tolist()
    assert sorted(chain.from_iterable(engine.batches)) == list(range(len(features)))


def test_batches_are_those_of_the_engines_plan(tmp_path, model_dir):
    features = write_features(tmp_path / "features", model_dir, [5, 20, 6, 21])
    engine = Echo(2 * (21 + OTHERS))
    compute_logits(engine, features)
    assert engine.batches == [[3, 1], [2, 0]]


def test_progress_is_told_all_features(tmp_path, model_dir):
    features = write_features(tmp_path / "features", model_dir, [5, 20, 6, 21])
    told = []
    compute_logits(Echo(40), features, progress=SimpleNamespace(update=told.append))
    assert sum(told) == 4


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", [0, 1])
def test_a_logit_that_is_not_finite_names_its_feature(tmp_path, model_dir, bad, which):
    features = write_features(tmp_path / "features", model_dir, [5, 20, 6, 21])

    class Broken(Echo):
        def run(self, batch):
            logits = super().run(batch)
            places = np.repeat(batch.indices, batch.lengths) == 2
            logits[which][places] = bad
            return logits

    with pytest.raises(UserError, match=r"feature 2 \(counted from 0\).*not a finite number"):
        compute_logits(Broken(), features)
