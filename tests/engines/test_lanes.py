"""An engine's lanes: several threads at once get the logits that one alone gets."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bertsquad import engines
from engines.small_run import write_finetuned
from tiny_bert import random_batch

LENGTHS = [7, 31, 31, 3, 40]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return write_finetuned(tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize("engine", engines.PRECISIONS)
@pytest.mark.parametrize(("streams", "threads"), [(1, 2), (3, 1), (2, 2)])
def test_lanes_at_once_give_the_logits_of_one(model_dir, engine, streams, threads):
    batches = [random_batch([length], seed=seed) for seed, length in enumerate(LENGTHS * 4)]
    alone = engines.load(engine, model_dir, precision="fp32", threads=1)
    expected = [alone.run(batch) for batch in batches]
    alone.close()
    loaded = engines.load(engine, model_dir, precision="fp32", threads=threads, streams=streams)
    lanes = loaded.lanes(streams)
    assert len(lanes) == streams
    with ThreadPoolExecutor(streams) as pool:
        found = list(pool.map(lambda lane: [lane(batch) for batch in batches], lanes))
    loaded.close()
    for answers in found:
        for (start, end), (own_start, own_end) in zip(expected, answers, strict=True):
            np.testing.assert_allclose(own_start, start, atol=2e-4)
            np.testing.assert_allclose(own_end, end, atol=2e-4)


@pytest.mark.parametrize("engine", engines.PRECISIONS)
def test_a_batch_of_several_lengths_goes_through_a_lane(model_dir, engine):
    batch = random_batch(LENGTHS)
    loaded = engines.load(engine, model_dir, precision="fp32", threads=1, streams=1)
    start, _ = loaded.run(batch)
    [lane] = loaded.lanes(1)
    np.testing.assert_allclose(lane(batch)[0], start, atol=1e-5)
    loaded.close()
