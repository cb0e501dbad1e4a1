"""speed.py: what is timed, and how rates follow from it; by an engine that moves the clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.benchmark.flops import useful_flops
from bertsquad.benchmark.speed import (
    measure_offline,
    measure_padded,
    measure_requests,
    plan,
    spread_with_neighbours,
)
from bertsquad.benchmark.squad_lengths import read_lengths
from bertsquad.data.batching import by_length, by_tokens
from bertsquad.engines import Answered

CONFIG = {"hidden_size": 2, "intermediate_size": 3, "num_hidden_layers": 5}


class Features:
    """As much of features as is needed; a batch is a list of its lengths."""

    max_seq_length = 384

    def __init__(self, lengths) -> None:
        self.lengths = np.array(lengths, np.int32)

    def __len__(self) -> int:
        return len(self.lengths)

    def packed(self, indices):
        return self.lengths[indices].tolist()

    def padded(self, indices):
        return (np.array(indices),) * 3


class Engine:
    """A millisecond a token, wherever it is computed."""

    name = "metronome"

    def __init__(self, threads: int = 1, budget: int = 2048) -> None:
        self.now, self.threads, self.budget = 0.0, threads, budget
        self.asked: list[list[int]] = []

    def clock(self) -> float:
        return self.now

    def run(self, batch):
        self.asked.append(batch)
        self.now += sum(batch) / 1000

    def run_padded(self, ids, mask, segments):
        self.asked.append(ids.tolist())
        self.now += len(ids) * 384 / 1000

    def plan(self, lengths):
        return by_tokens(by_length(lengths), lengths, self.budget)

    def stream(self, batches):
        for batch in batches:
            self.run(batch)
            yield Answered(batch, None, None)


@pytest.fixture
def squad() -> Features:
    return Features(read_lengths())


def test_requests_of_median_length_and_over_all_lengths(squad):
    engine = Engine()
    found = measure_requests(engine, squad, 8.0, engine.clock)
    assert engine.asked[:3] == [[384], [164], [164]]  # prepared, then timed
    assert found["at_median"]["length"] == 164
    assert found["at_median"]["latency_samples_ms"] == pytest.approx([164] * 25)  # 4 s
    over = found["over_lengths"]
    assert len(over["latency_samples_ms"]) == 24  # as many of the median length fit into 4 s
    assert over["mean_length"] == pytest.approx(178.5, rel=0.01)
    assert over["latency_ms"]["mean"] == pytest.approx(over["mean_length"])
    assert len(set(over["latency_samples_ms"])) > 20


def test_a_slow_engine_still_meets_all_lengths(squad):
    engine = Engine()
    found = measure_requests(engine, squad, 0.1, engine.clock)
    assert len(found["at_median"]["latency_samples_ms"]) == 6
    assert len(found["over_lengths"]["latency_samples_ms"]) == 16
    assert found["over_lengths"]["mean_length"] == pytest.approx(178.5, rel=0.01)


def test_padded_work_counts_as_useful_only_where_tokens_are_real(squad):
    engine = Engine()
    found = measure_padded(engine, squad, CONFIG, 5.0, engine.clock)
    assert found["features_per_second"] == pytest.approx(1000 / 384)
    assert found["batch_size"] == 4
    assert len(found["latency_samples_ms"]) == 6  # of 1.536 s; the first one is not counted
    assert len(engine.asked) == 7
    computed = useful_flops(CONFIG, [384]) * 1000 / 384 / 1e9
    assert found["computed_gflops"] == pytest.approx(computed)
    average = useful_flops(CONFIG, squad.lengths) / len(squad)
    assert found["useful_gflops"] == pytest.approx(average * 1000 / 384 / 1e9)


def test_offline_the_rate_is_that_of_whole_passes(squad):
    engine = Engine()
    found = measure_offline(engine, squad, CONFIG, 10.0, rate=5.6, clock=engine.clock)
    assert (found["features"], found["passes"]) == (56, 1)
    assert found["mean_length"] == pytest.approx(178.5, rel=0.01)
    assert found["seconds"] == pytest.approx(56 * found["mean_length"] / 1000)
    assert found["features_per_second"] == pytest.approx(1000 / found["mean_length"])


def test_offline_the_useful_operations_are_those_of_the_real_tokens():
    # 32 features of 100 tokens. Each token and layer, by hand: four products of 2 x 2 and two of
    # 2 x 3, a multiplication and an addition each: 56. Attention: two products of 100 x 2 a token,
    # 800. The head: two logits of 2 features, 8. A millisecond a token: 3.2 s a pass.
    engine = Engine()
    found = measure_offline(
        engine, Features([100] * 32), CONFIG, 1.0, rate=32.0, clock=engine.clock
    )
    assert (found["features"], found["passes"], found["seconds"]) == (32, 1, pytest.approx(3.2))
    operations = 3200 * (5 * (56 + 800) + 8)
    assert found["useful_gflops"] == pytest.approx(operations / 3.2 / 1e9)


def test_offline_several_passes_are_as_fast_as_one(squad):
    engines = Engine(), Engine()
    one, more = (
        measure_offline(engine, squad, CONFIG, seconds, rate=0.0, clock=engine.clock)
        for engine, seconds in zip(engines, (1.0, 40.0), strict=True)
    )
    assert (one["passes"], more["passes"]) == (1, 5)
    assert more["useful_gflops"] == pytest.approx(one["useful_gflops"])


def test_offline_an_estimate_that_was_too_low_is_made_up_for_by_more_passes(squad):
    engine = Engine()
    found = measure_offline(engine, squad, CONFIG, 40.0, rate=0.0, clock=engine.clock)
    assert (found["features"], found["passes"]) == (24 * 5, 5)  # until 20 s are over


def test_offline_the_work_before_the_clock_starts_is_small_and_not_counted(squad):
    engine = Engine()
    measure_offline(engine, squad, CONFIG, 1.0, rate=1.0, clock=engine.clock)
    assert engine.asked[0] == engine.asked[1]
    assert len(engine.asked[0]) == 1
    assert engine.asked[0][0] < 164


def test_an_engine_that_loses_features_is_found_out(squad):
    engine = Engine()
    whole = engine.stream
    engine.stream = lambda batches: (a for n, a in enumerate(whole(batches)) if n != 3)
    with pytest.raises(RuntimeError, match="metronome answered"):
        measure_offline(engine, squad, CONFIG, 1.0, rate=1.0, clock=engine.clock)


@pytest.mark.parametrize("count", [24, 32, 100, 500])
def test_neighbours_keep_the_mixture(count):
    lengths = read_lengths()
    chosen = spread_with_neighbours(lengths, count)
    assert len(chosen) == len(set(chosen.tolist())) == count
    assert lengths[chosen].mean() == pytest.approx(lengths.mean(), rel=0.01)
    assert (np.diff(lengths[chosen]) >= 0).all()


def test_few_features_are_planned_in_pieces_that_keep_all_threads_busy():
    lengths = np.sort(spread := read_lengths()[:: 10833 // 96][:96])
    assert len(by_tokens(by_length(spread), spread, 2048)) == 9
    sizes = [len(batch) for batch in plan(Engine(threads=2), lengths)]
    assert len(sizes) >= 16
    assert sum(sizes) == 96


def test_a_plan_of_many_batches_stays_as_it_is():
    lengths = np.sort(read_lengths()[::10])
    batches = plan(Engine(threads=2), lengths)
    expected = by_tokens(by_length(lengths), lengths, 2048)
    assert [batch.tolist() for batch in batches] == [batch.tolist() for batch in expected]


@given(
    st.lists(st.integers(1, 384), min_size=1, max_size=80).map(sorted),
    st.integers(1, 64),
    st.integers(1, 3000),
)
def test_a_plan_holds_every_feature_once(lengths, threads, budget):
    batches = plan(Engine(threads, budget), np.array(lengths))
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
