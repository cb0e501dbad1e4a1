"""Logits computed in parts are those of the whole, bit for bit, by every engine and precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsquad import engines
from bertsquad.answers import logit_shards, logits
from bertsquad.benchmark.squad_lengths import read_lengths
from bertsquad.console.errors import UserError
from bertsquad.data.features import SPECIAL_TOKENS, Features
from bertsquad.engines import quantizing
from bertsquad.engines.shards import batches_of_shard, compute_shard
from bertsquad.engines.whole_set import compute_logits
from engines.small_run import QUESTION_LENGTH, write_features, write_finetuned
from engines.test_whole_set import Echo

PAIRS = [(name, precision) for name, has in engines.PRECISIONS.items() for precision in has]
SHARDS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model that takes SQuAD's lengths, and features of 120 of them."""
    folder = tmp_path_factory.mktemp("run")
    model = write_finetuned(folder, max_position_embeddings=384)
    lengths = np.random.default_rng(1).choice(read_lengths(), 120)
    contexts = (lengths - QUESTION_LENGTH - SPECIAL_TOKENS).tolist()
    write_features(folder / "features", model, contexts, max_seq_length=384)
    return folder


def load(folder, name, precision, quantized):
    try:
        return engines.load(
            name,
            folder / "model",
            precision=precision,
            threads=2,
            goal="throughput",
            quantized_dir=quantized,
        )
    except engines.EmulatedPrecision as refused:
        pytest.skip(str(refused))


def quantized_model(folder, name):
    target = folder / f"{name}-int8"
    calibrated = engines.about(name).INT8_CALIBRATED
    given = folder / "features" if calibrated else None
    quantizing.make(name, folder / "model", target, features_path=given, count=16, seed=0)
    return target


@pytest.mark.parametrize(("name", "precision"), PAIRS)
def test_joined_parts_are_the_whole_bit_for_bit(folder, tmp_path, name, precision):
    quantized = quantized_model(folder, name) if precision == "int8" else None
    features = Features.open(folder / "features")
    engine = load(folder, name, precision, quantized)
    start, end, starts = compute_logits(engine, features)
    engine.close()
    paths = [tmp_path / f"{number}" for number in (3, 1, 2)]
    for path in paths:  # each by an engine of its own, as on machines of their own
        engine, number = load(folder, name, precision, quantized), int(path.name)
        part = compute_shard(engine, features, number, SHARDS)
        assert 0 < len(part.indices) < 120
        engine.close()
        made = logits.Logits(*part[:3], name, precision, "f00d", engine.kernels)
        logit_shards.write(path, logit_shards.Shard(made, part.indices, number, SHARDS))
    joined = logit_shards.join(paths)
    assert joined.starts.tolist() == starts.tolist()
    assert joined.start_logits.tobytes() == start.tobytes()
    assert joined.end_logits.tobytes() == end.tobytes()


@settings(max_examples=50)
@given(
    lengths=st.lists(st.integers(1, 384), min_size=1, max_size=60),
    budget=st.integers(1, 1000),
    shards=st.integers(1, 9),
)
def test_every_feature_is_in_one_part_and_parts_have_about_as_many_tokens(lengths, budget, shards):
    lengths, engine = np.array(lengths, np.int32), Echo(budget)
    plan = [batch.tolist() for batch in engine.plan(lengths)]
    parts = [batches_of_shard(engine, lengths, n, shards) for n in range(1, shards + 1)]
    batches = [batch.tolist() for part in parts for batch in part]
    assert sorted(batches) == sorted(plan)
    tokens = [sum(int(lengths[batch].sum()) for batch in part) for part in parts]
    assert max(tokens) - min(tokens) <= max(int(lengths[batch].sum()) for batch in plan)


def test_more_parts_than_batches_leave_some_empty(tmp_path):
    model = write_finetuned(tmp_path)
    features = write_features(tmp_path / "features", model, [5, 20])
    parts = [compute_shard(Echo(), features, number, 3) for number in (1, 2, 3)]
    assert sorted(len(part.indices) for part in parts) == [0, 0, 2]


def test_a_logit_that_is_not_finite_names_its_feature(tmp_path):
    model = write_finetuned(tmp_path)
    features = write_features(tmp_path / "features", model, [5, 20])

    class Broken(Echo):
        def run(self, batch):
            start, end = super().run(batch)
            return start * np.nan, end

    with pytest.raises(UserError, match=r"feature 1 \(counted from 0\)"):
        compute_shard(Broken(), features, 1, 1)
