"""Two sides by turns: who is faster, and what a disturbance does to the verdict."""

from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from bertsquad.benchmark import comparing
from bertsquad.benchmark.comparing import (
    Rules,
    compare,
    compare_all,
    judge,
    nothing_measured,
    sees,
    speed,
)

VALID = {"verdict": "valid", "reasons": []}
BUSY = {"verdict": "disturbed", "reasons": [{"code": "busy", "found": 1.0}]}


class Side:
    """Takes the given seconds, one a turn, for 100 features."""

    pid = None

    def __init__(self, seconds) -> None:
        self.seconds = iter(seconds)

    def run(self) -> dict[str, Any]:
        return {"seconds": next(self.seconds), "features": 100}


@pytest.fixture
def quiet(monkeypatch):
    """No turn is disturbed but those after `busy` turns are asked for."""
    state = {"busy": set(), "turn": 0}

    def take_turn(side):
        state["turn"] += 1
        found = BUSY if state["turn"] in state["busy"] else VALID
        return side.run() | {"validity": found}

    monkeypatch.setattr(comparing, "take_turn", take_turn)
    return state


def noisy(seed: int, factor: float = 1.0, sd: float = 0.002):
    rng = np.random.default_rng(seed)
    while True:
        yield factor * float(np.exp(sd * rng.standard_normal()))


def same_sides(a: Side, b: Side):
    """Starts nothing: the sides go on where they were."""

    @contextmanager
    def start(order):
        yield {"a": a, "b": b}

    return start


def run(a: float = 1.0, b: float = 1.0, sd: float = 0.002, **rules) -> dict[str, Any]:
    return compare(same_sides(Side(noisy(1, a, sd)), Side(noisy(2, b, sd))), Rules(**rules))


def test_a_side_that_takes_less_time_is_faster_and_the_ratio_is_its_speed_over_the_others(quiet):
    found = run(b=1.05)
    assert found["verdict"] == "faster"
    assert found["ratio"]["value"] == pytest.approx(1.05, abs=0.01)
    assert found["ratio"]["low"] < 1.05 < found["ratio"]["high"]
    assert run(a=1.05)["verdict"] == "slower"


def test_a_difference_that_is_plain_takes_no_more_than_the_first_look(quiet):
    assert run(b=1.05)["rounds_used"] == 8
    assert len(run(b=1.05, looks=(12, 20))["rounds"]) == 12


def test_equal_sides_are_the_same_within_what_nobody_would_act_on(quiet):
    assert run(same_within=0.05)["verdict"] == "same"


def test_what_the_last_look_does_not_tell_cannot_be_told_and_it_says_what_would(quiet):
    found = run(b=1.002, sd=0.02, looks=(8, 16))
    assert (found["verdict"], found["rounds_used"]) == ("cannot tell", 16)
    assert found["would_need"] > 16
    assert found["why"] is None


def test_who_goes_first_is_drawn_by_a_fair_coin_from_the_seed(quiet):
    rounds = run(sd=0.02, looks=(200,))["rounds"]
    first = [one["first"] for one in rounds]
    assert 70 < first.count("a") < 130
    assert first == [one["first"] for one in run(sd=0.02, looks=(200,))["rounds"]]
    assert first != [one["first"] for one in run(sd=0.02, looks=(200,), seed=1)["rounds"]]


def test_a_disturbed_round_is_kept_and_does_not_count(quiet):
    quiet["busy"] = {3, 4, 5}  # turns of the second and third round
    found = run(b=1.05)
    assert (found["rounds_used"], found["rounds_disturbed"], len(found["rounds"])) == (8, 2, 10)
    assert [one["undisturbed"] for one in found["rounds"][:4]] == [True, False, False, True]
    assert found["verdict"] == "faster"
    assert found["reasons"] == {"busy": 3}


def turns_in_order(**rules):
    """The rounds of sides whose turns take 1 s, and who took them: `abba` of two pairs."""
    taken = []

    class Told(Side):
        def run(self):
            taken.append(self.name)
            return super().run()

    a, b = Told(noisy(1)), Told(noisy(2, 1.05))
    a.name, b.name = "a", "b"
    return compare(same_sides(a, b), Rules(**rules))["rounds"], "".join(taken)


def test_a_round_has_turns_of_both_sides_until_each_took_its_seconds_who_is_first_by_turns(quiet):
    rounds, taken = turns_in_order(seconds=3.5)
    assert {len(one["pairs"]) for one in rounds} == {4}
    found = [taken[n : n + 8] for n in range(0, len(taken), 8)]
    assert set(found) == {"abbaabba", "baabbaab"}
    assert [each[0] for each in found] == [one["first"] for one in rounds]
    single, taken = turns_in_order()
    assert len(taken) == 2 * len(single)


def test_a_rounds_ratio_is_the_geometric_mean_of_its_pairs(quiet):
    [a, b] = Side([1.0, 1.0] * 8), Side([2.0, 8.0] * 8)
    [first, *_] = compare(same_sides(a, b), Rules(seconds=2.0))["rounds"]
    assert [pair["ratio"] for pair in first["pairs"]] == [2.0, 8.0]
    assert first["ratio"] == pytest.approx(4.0)


def test_a_phase_in_which_the_machine_is_slower_weighs_little_among_several_turns(quiet):
    """Phases of nine turns, 10 % slow: in rounds of one turn each some begin between the two."""

    def spread(seconds):
        phases = (1.1 if number // 9 % 2 else 1.0 for number in range(100_000))
        both = noisy(3, sd=0.005)
        shared = (phase * next(both) for phase in phases)
        found = compare(
            same_sides(Side(shared), Side(shared)), Rules(looks=(200,), seconds=seconds)
        )
        return found["sd"]

    assert spread(8) < 0.5 * spread(0)


def test_a_disturbed_pair_does_not_count_nor_a_round_of_which_half_the_pairs_do_not(quiet):
    quiet["busy"] = {1, 9, 11, 12}  # a pair of four in the first round, two in the second
    [a, b] = Side([1.0] * 99), Side([9.0] + [1.1] * 98)
    rounds = compare(same_sides(a, b), Rules(seconds=3.5))["rounds"]
    assert [one["undisturbed"] for one in rounds[:3]] == [True, False, True]
    assert rounds[0]["ratio"] == pytest.approx(1.1)


def test_while_the_machine_is_disturbed_there_is_no_verdict_and_it_says_why(quiet):
    quiet["busy"] = set(range(1, 1000))
    found = run(b=2.0)
    assert found["verdict"] is None
    assert found["ratio"] is None
    assert found["why"].startswith("9 of 9 rounds were disturbed (turns: busy in 18): close what")


def test_patience_is_no_longer_than_the_rounds_of_the_first_look(quiet):
    quiet["busy"] = set(range(1, 1000))
    assert len(run(looks=(3,))["rounds"]) == 4
    assert len(run(looks=(20,))["rounds"]) == 9


def test_a_disturbance_that_lasts_longer_than_the_quiet_leaves_no_verdict(quiet):
    quiet["busy"] = set(range(21, 1000))  # after 10 quiet rounds
    found = run(b=1.002, sd=0.02)
    assert found["verdict"] is None
    assert (found["rounds_used"], found["rounds_disturbed"]) == (10, 11)


def test_a_decision_falls_at_a_look_and_not_between_two():
    def rounds(ratios):
        turn = {"validity": VALID}
        pairs = [{"a": turn, "b": turn}]
        return [{"ratio": r, "undisturbed": True, "pairs": pairs} for r in ratios]

    undecided = [0.9, *[1.01 + 0.001 * n for n in range(7)]]
    assert judge(rounds(undecided), Rules())["verdict"] is None
    assert judge(rounds([*undecided, *[1.05] * 7]), Rules())["verdict"] is None
    assert judge(rounds([*undecided, *[1.05] * 8]), Rules())["verdict"] == "faster"


def test_equal_sides_are_told_apart_in_at_most_5_percent(quiet):
    """120 comparisons whose noise wanders; 3.2 to 4.3 % of them are meant to be wrong."""

    def wandering(seed):
        rng = np.random.default_rng(seed)
        level = 0.0
        while True:
            level = 0.9 * level + 0.02 * float(rng.standard_normal())
            yield float(np.exp(level))

    wrong = 0
    for seed in range(120):
        shared = wandering(seed)  # both sides meet the same machine, one after the other
        sides = same_sides(Side(shared), Side(shared))
        found = compare(sides, Rules(seed=seed, same_within=0.0))
        wrong += found["verdict"] in ("faster", "slower")
    assert wrong <= 12  # binomial(120, 0.05): more in less than 1 %


def started_processes(seed: int, slower_first: float, sd: float):
    """A process is slower for as long as it lives, and more so where it is started first."""
    rng = np.random.default_rng(seed)

    @contextmanager
    def start(order):
        own = {side: float(np.exp(sd * rng.standard_normal())) for side in order}
        own[order[0]] *= slower_first
        yield {side: Side(noisy(rng.integers(1 << 30), own[side])) for side in order}

    return start


def test_that_a_process_is_slower_for_good_tells_no_equal_sides_apart(quiet):
    wrong = 0
    for seed in range(120):
        found = compare(started_processes(seed, 1.014, 0.008), Rules(seed=seed, same_within=0.0))
        wrong += found["verdict"] in ("faster", "slower")
    assert wrong <= 12  # binomial(120, 0.05): more in less than 1 %


def test_which_side_is_started_first_is_drawn_in_every_round_whoever_goes_first(quiet):
    orders = []

    @contextmanager
    def start(order):
        orders.append(order[0])
        yield {"a": Side(noisy(1, sd=0.02)), "b": Side(noisy(2, sd=0.02))}

    rounds = compare(start, Rules(looks=(200,)))["rounds"]
    assert orders == [one["started_first"] for one in rounds]
    assert 70 < orders.count("a") < 130
    both = sum(one["started_first"] == one["first"] for one in rounds)
    assert 70 < both < 130


def test_comparisons_of_the_same_sides_share_a_start_and_take_turns_of_their_own(quiet):
    starts = []

    @contextmanager
    def start(order):
        starts.append(order)
        yield {"a": Side(noisy(len(starts))), "b": Side(noisy(99, 1.05))}

    some = compare_all(start, [Rules(looks=looks) for looks in ((8,), (12,))])
    assert [len(one["rounds"]) for one in some] == [8, 12]
    assert len(starts) == 12
    assert {one["verdict"] for one in some} == {"faster"}
    assert some[0]["rounds"][0]["ratio"] != some[1]["rounds"][0]["ratio"]


def test_a_latency_is_compared_by_its_inverse():
    turn = {"seconds": 2.0, "features": 100, "requests": 10, "latency_ms": {"p50": 20.0}}
    assert speed(turn, "rate") == 50.0
    assert speed(turn, "p50") == 1 / 20
    with pytest.raises(LookupError, match="10 requests a turn are too few for p99"):
        speed(turn, "p99")


def test_what_so_many_rounds_find_shrinks_with_their_root():
    ratios = np.exp(0.02 * np.random.default_rng(0).standard_normal(4000)).tolist()
    found = sees(ratios, (8, 32))
    assert found == {"8": pytest.approx(0.0243, abs=5e-4), "32": pytest.approx(0.0121, abs=3e-4)}
    assert sees([1.0], (8,)) is None


def test_what_is_not_measured_says_why():
    found = nothing_measured("b: emulated")
    assert (found["verdict"], found["why"], found["rounds"]) == (None, "b: emulated", [])
