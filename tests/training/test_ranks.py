"""Ranks: Intel's arithmetic and data, as run_squad.py has them and as its users mean them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.console.errors import UserError
from bertsquad.training.hyperparameters import Hyperparameters
from bertsquad.training.ranks import (
    SHUFFLE_BUFFER,
    batches_of_ranks,
    buffered,
    plan_of_ranks,
    record_order,
)
from bertsquad.training.schedule import Schedule

AS_RUN = {"ranks": 4, "rank_data": "same", "rank_learning_rate": "sqrt"}


def test_the_guides_schedule_on_four_ranks(golden):
    guide = golden["schedule_guide"]
    recipe = Hyperparameters(
        batch_size=guide["batch"] * guide["ranks"],
        epochs=guide["epochs"],
        warmup_proportion=guide["warmup_proportion"],
        learning_rate=guide["lr"],
        **AS_RUN,
    )
    schedule = plan_of_ranks(recipe, guide["examples"])
    assert schedule == Schedule(
        guide["lr_effective"], guide["steps_per_rank"], guide["warmup_per_rank"]
    )
    rates = {step: schedule.learning_rate(int(step)) for step in guide["lr_at"]}
    assert rates == guide["lr_at"]


def test_without_scaling_the_rate_stays_as_given():
    recipe = Hyperparameters(
        ranks=4, batch_size=96, epochs=1, warmup_proportion=0, learning_rate=1e-3
    )
    schedule = plan_of_ranks(recipe, 960)
    assert schedule == Schedule(1e-3, total_steps=10, warmup_steps=0)


def stream_of(count: int, *, steps: int, **settings) -> list[list[int]]:
    recipe = Hyperparameters(seed=3, **settings)
    batch = batches_of_ranks(recipe, np.arange(count), steps=steps)
    return [batch(step).tolist() for step in range(steps)]


def test_the_guide_trains_on_the_same_half_of_the_data_again_and_again():
    """1,824 steps of 4 x 24 out of 88,641 windows: two epochs by their name, 49 % by their data."""
    recipe = Hyperparameters(batch_size=96, seed=0, **AS_RUN)
    batch = batches_of_ranks(recipe, np.arange(88_641), steps=1824)
    drawn = np.concatenate([batch(step) for step in range(1824)])
    assert len(drawn) == 175_104
    seen = np.unique(drawn)
    assert 0.49 < len(seen) / 88_641 < 0.495
    times = np.bincount(drawn)[seen]
    assert (times == 4).mean() > 0.99


def test_ranks_that_split_the_data_see_all_of_it_once_an_epoch():
    batches = stream_of(96, ranks=4, batch_size=24, steps=4)
    assert sorted(feature for batch in batches for feature in batch) == list(range(96))


def test_splitting_gives_the_batches_of_a_single_process():
    assert stream_of(96, ranks=4, batch_size=24, steps=9) == stream_of(
        96, ranks=1, batch_size=24, steps=9
    )


def test_ranks_with_the_same_data_draw_it_in_orders_of_their_own():
    [batch] = stream_of(1000, batch_size=400, steps=1, **AS_RUN)
    shares = np.array(batch).reshape(4, 100)
    assert len({tuple(share) for share in shares.tolist()}) == 4
    together = set(batch)
    assert len(together) < 250  # 400 draws out of the first 200 records


def test_independent_ranks_train_on_their_share_alone():
    batches = stream_of(96, ranks=4, rank_gradients="independent", batch_size=24, steps=4)
    assert [len(batch) for batch in batches] == [6, 6, 6, 6]
    everyone = stream_of(96, ranks=4, batch_size=24, steps=4)
    assert batches == [batch[:6] for batch in everyone]


def test_a_batch_that_does_not_divide_among_the_ranks():
    with pytest.raises(UserError, match="batch_size 30 does not divide among 4 ranks"):
        stream_of(96, ranks=4, batch_size=30, steps=1)


def test_windows_of_one_question_stay_together():
    order = record_order(np.array([0, 0, 0, 1, 2, 2]), seed=1)
    places = {feature: place for place, feature in enumerate(order.tolist())}
    assert (places[1], places[2]) == (places[0] + 1, places[0] + 2)
    assert places[5] == places[4] + 1


@given(count=st.integers(1, 400), drawn=st.integers(1, 900), seed=st.integers(0, 9))
def test_the_buffer_draws_every_record_about_when_it_is_due(count, drawn, seed):
    """An item leaves the buffer never before it came in, and no item leaves more often."""
    stream = buffered(np.arange(count), drawn, seed, rank=0)
    assert len(stream) == drawn
    entered = np.resize(np.arange(count), drawn + SHUFFLE_BUFFER)
    for end in (1, drawn // 2, drawn):
        come_in = np.bincount(entered[: end + SHUFFLE_BUFFER], minlength=count)
        assert (np.bincount(stream[:end], minlength=count) <= come_in).all()
