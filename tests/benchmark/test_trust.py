"""Trials of verdicts whose truth is known."""

from bertsquad.benchmark.trust import EQUAL, outcomes, trials


def found(slow_down: float, verdict: str, ratio: float = 1.0) -> dict:
    return {"slow_down": slow_down, "verdict": verdict, "ratio": {"value": ratio}}


def test_there_are_40_with_equal_sides_each_with_a_seed_of_its_own():
    some = trials()
    assert sum(trial.slow_down == 0 for trial in some) == EQUAL == 40
    assert {trial.slow_down for trial in some} == {0.0, 0.02, 0.05}
    assert len({trial.seed for trial in some}) == len({trial.name for trial in some}) == len(some)


def test_equal_sides_may_be_told_apart_5_times():
    told = [found(0.0, "faster")] * 3 + [found(0.0, "slower")] * 2
    rest = [found(0.0, "same")] * 20 + [found(0.0, "cannot tell")] * 15
    [outcome] = outcomes(told + rest)
    assert (outcome.trials, outcome.false, outcome.held) == (40, 5, True)
    [outcome] = outcomes([*told, *rest, found(0.0, "slower")])
    assert (outcome.false, outcome.held) == (6, False)


def test_a_slow_down_of_5_percent_is_found_with_its_ratio():
    assert outcomes([found(0.05, "faster", 1.059)] * 2)[0].held
    assert outcomes([found(0.05, "faster", 1.059)])[0].held is None
    assert outcomes([found(0.05, "faster", 1.061)])[0].held is False
    assert not outcomes([found(0.05, "faster", 1.05), found(0.05, "cannot tell", 1.05)])[0].held
    assert not outcomes([found(0.05, "slower", 1.05)])[0].held


def test_one_of_2_percent_is_found_whatever_its_ratio():
    assert outcomes([found(0.02, "faster", 1.03)] * 2)[0].held
    assert not outcomes([found(0.02, "same", 1.02)])[0].held


def test_a_ratio_to_within_a_hundredth_takes_all_rounds():
    assert {trial.slow_down: trial.looks for trial in trials()} == {
        0.05: (32,),
        0.02: (8, 16, 32),
        0.0: (8, 16, 32),
    }
