"""Steps and learning rates equal those that Google's and Intel's code compute."""

from hypothesis import given
from hypothesis import strategies as st

from bertsquad.training.schedule import Schedule, plan


def test_the_guide_in_one_process_takes_7299_steps():
    schedule = plan(
        87599, batch_size=24, epochs=2.0, warmup_proportion=0.1, peak_learning_rate=1.5e-5
    )
    assert schedule == Schedule(peak_learning_rate=1.5e-5, total_steps=7299, warmup_steps=729)


def test_learning_rates_of_the_guide_to_the_last_digit(golden):
    guide = golden["schedule_guide"]
    schedule = Schedule(guide["lr_effective"], guide["steps_per_rank"], guide["warmup_per_rank"])
    rates = {step: schedule.learning_rate(int(step)) for step in guide["lr_at"]}
    assert rates == guide["lr_at"]


def test_steps_before_ranks_of_the_guide(golden):
    guide = golden["schedule_guide"]
    schedule = plan(
        guide["examples"],
        batch_size=guide["batch"],
        epochs=guide["epochs"],
        warmup_proportion=guide["warmup_proportion"],
        peak_learning_rate=guide["lr"],
    )
    assert schedule.total_steps == guide["steps_before_ranks"]


def test_the_rate_drops_where_warm_up_ends():
    schedule = Schedule(peak_learning_rate=1.0, total_steps=100, warmup_steps=10)
    rates = [schedule.learning_rate(step) for step in (0, 9, 10, 99, 100)]
    assert rates == [0.0, 0.9, 0.9, 1 - 99 / 100, 0.0]


def test_without_warm_up_the_first_step_has_the_full_rate():
    assert Schedule(2.0, total_steps=4, warmup_steps=0).learning_rate(0) == 2.0


def test_zero_epochs_are_zero_steps():
    schedule = plan(100, batch_size=8, epochs=0, warmup_proportion=0.1, peak_learning_rate=1e-3)
    assert schedule.total_steps == 0


@given(
    total_steps=st.integers(1, 10_000),
    warmup_proportion=st.floats(0, 1),
    peak=st.floats(1e-8, 1.0),
)
def test_the_rate_stays_between_zero_and_the_peak_and_ends_below_one_step(
    total_steps, warmup_proportion, peak
):
    schedule = plan(
        total_steps,
        batch_size=1,
        epochs=1,
        warmup_proportion=warmup_proportion,
        peak_learning_rate=peak,
    )
    assert schedule.total_steps == total_steps
    assert all(0 <= schedule.learning_rate(s) <= peak for s in range(0, total_steps, 7))
    assert schedule.learning_rate(total_steps) == 0
