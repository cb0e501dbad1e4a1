"""The race of layouts, on made-up candidates whose truth is known."""

import numpy as np
import pytest

from bertsquad.console.errors import UserError
from bertsquad.planner.race import FailedError, Race, Round, Score, Settings, alike, survivors

SCORES = {
    "a": Score(4.2, 4.0, 4.4),
    "b": Score(4.1, 3.9, 4.3),
    "c": Score(3.9, 3.6, 4.2),
    "d": Score(2.9, 2.7, 3.1),
}


def test_what_cannot_come_near_the_best_is_dropped_with_its_bound():
    kept, dropped = survivors({name: SCORES[name] for name in "ad"}, 0.03)
    assert kept == ["a"]
    assert dropped == {"d": "at most 3.1/s, best at least 4"}


def test_of_more_than_half_the_better_half_goes_on():
    kept, dropped = survivors(SCORES, 0.03)
    assert kept == ["a", "b"]
    assert dropped["c"] == "about 3.9/s, in the worse half (best 4.2)"
    assert dropped["d"] == "at most 3.1/s, best at least 4"


def test_those_near_the_best_go_on_whatever_the_half():
    alike_ones = {name: Score(4.0, 3.0, 5.0) for name in "abcd"}
    assert survivors(alike_ones, 0.03) == (list("abcd"), {})


def test_one_alone_goes_on():
    assert survivors({"a": SCORES["a"]}, 0.03) == (["a"], {})


def test_alike_is_what_the_intervals_say():
    assert alike({"a": Score(4.0, 3.98, 4.02), "b": Score(4.0, 3.95, 4.05)}, 0.03)
    assert not alike({"a": Score(4.0, 3.98, 4.02), "b": Score(4.0, 3.8, 4.2)}, 0.03)


class Machine:
    """Candidates of known rates. A measurement takes `beside` more than its seconds; a score is off
    by 4 % after a second, and by less the longer it was measured."""

    def __init__(self, rates, seed=0, beside=0.0, noise=0.04):
        self.rates, self.beside, self.noise = rates, beside, noise
        self.random = np.random.default_rng(seed)
        self.sums = dict.fromkeys(rates, (0.0, 0.0))
        self.calls, self.lines = [], []

    def measure(self, name, number, seconds):
        self.calls.append((name, number, seconds))
        error = self.noise / np.sqrt(seconds) * self.random.standard_normal()
        total, time = self.sums[name]
        self.sums[name] = (total + seconds * self.rates[name] * (1 + error), time + seconds)
        return seconds + self.beside

    def scores(self, names):
        found = {}
        for name in names:
            total, time = self.sums[name]
            reach = 1.96 * self.noise / np.sqrt(time)
            value = total / time
            found[name] = Score(value, value * (1 - reach), value * (1 + reach))
        return found

    def race(self, short=lambda name: 0.0, **changes):
        given = {"budget_s": 1e6, "seconds": 1.0, "within": 0.03, "seed": 0, "guess_s": 0.0}
        settings = Settings(**(given | changes))
        names = list(self.rates)
        race = Race(
            names, self.measure, self.scores, settings, clock=lambda: 0.0, tell=self.lines.append
        )
        return race.run(short)


def test_the_best_or_one_within_three_per_cent_is_kept_in_little_time():
    good, shares = 0, []
    for seed in range(100):
        random = np.random.default_rng([1, seed])
        rates = {f"c{n}": float(rate) for n, rate in enumerate(random.lognormal(1, 0.3, 12))}
        machine = Machine(rates, seed)
        found = machine.race()
        good += rates[found.kept[0]] >= 0.97 * max(rates.values())
        # Beside a grid in which each is measured for as long as the one that is kept.
        shares.append(found.spent_s / (len(rates) * found.measured_s[found.kept[0]]))
        assert len(found.kept) + len(found.dropped) == 12
    assert good >= 97
    assert np.median(shares) <= 0.45


def test_rounds_double_and_each_has_an_order_of_its_own():
    machine = Machine({f"c{n}": 1.0 for n in range(6)}, noise=10.0)
    machine.race(budget_s=6 * 1 + 6 * 2 + 6 * 3.5)
    lengths = {number: seconds for _, number, seconds in machine.calls}
    assert lengths[0] == 1
    assert lengths[1] == 2
    orders = [[name for name, number, _ in machine.calls if number == n] for n in (0, 1)]
    assert sorted(orders[0]) != orders[0] or sorted(orders[1]) != orders[1]
    assert orders[0] != orders[1]


def test_the_time_that_is_left_is_shared_evenly_and_never_overrun():
    machine = Machine({"a": 1.0, "b": 1.0}, beside=2.0, noise=10.0)
    machine.scores = lambda names: {name: Score(1.0, 0.1, 10.0) for name in names}
    found = machine.race(budget_s=2 * 3 + 2 * 4 + 2 * 5.5)
    assert [seconds for *_, seconds in machine.calls] == [1, 1, 2, 2, 3.5, 3.5]
    assert (found.ended, found.spent_s) == ("time is over", 25.0)
    assert sorted(found.kept) == ["a", "b"]


def test_a_budget_too_small_is_one_line_with_what_is_needed():
    machine = Machine({f"c{n}": 1.0 for n in range(10)})
    with pytest.raises(UserError) as caught:
        machine.race(budget_s=59, seconds=4.0, guess_s=2.0)
    assert str(caught.value) == (
        "explore.minutes: 59 s, but to measure each of 10 cells once takes about 60 s; give "
        "explore.minutes 1 or more, or race fewer engines, precisions or layouts"
    )
    assert machine.calls == []


def test_it_is_said_after_the_first_cell_where_loading_takes_longer_than_was_guessed():
    machine = Machine({f"c{n}": 1.0 for n in range(10)}, beside=8.0)
    with pytest.raises(UserError, match=r"takes about 90 s; give explore\.minutes 1\.5 or more"):
        machine.race(budget_s=60, guess_s=1.0)
    assert len(machine.calls) == 1


def test_one_that_cannot_be_measured_is_dropped_and_the_others_go_on():
    machine = Machine({"a": 1.0, "b": 2.0, "c": 4.0})
    measure = machine.measure

    def fail(name, number, seconds):
        if name == "c":
            raise FailedError("could not be run (status 1)")
        return measure(name, number, seconds)

    machine.measure = fail
    found = machine.race()
    assert found.kept == ["b"]
    assert found.dropped["c"] == "could not be run (status 1)"
    assert "a" in found.dropped


def test_one_that_misses_the_slo_is_dropped_with_the_reason():
    machine = Machine({"a": 1.0, "b": 2.0})
    scores = machine.scores
    machine.scores = lambda names: scores(names) | {"b": "the service alone takes p99 = 9 ms"}
    found = machine.race()
    assert (found.kept, found.dropped["b"]) == (["a"], "the service alone takes p99 = 9 ms")
    machine.scores = lambda names: dict.fromkeys(names, "too slow")
    found = machine.race()
    assert (found.kept, found.ended) == ([], "none is left")


def test_what_is_kept_is_measured_until_it_can_be_planned_with():
    machine = Machine({"a": 1.0, "b": 3.0})
    found = machine.race(short=lambda name: 30.0)
    assert machine.calls[-1][0::2] == ("b", 30.0)
    assert found.kept == ["b"]


def test_without_the_time_for_it_nothing_is_kept_and_it_says_how_much_is_missing():
    machine = Machine({"a": 1.0, "b": 3.0})
    found = machine.race(short=lambda name: 30.0, budget_s=20.0)
    assert found.kept == []
    assert found.dropped["b"] == (
        "leads, but 30 s more of it are needed before it can be planned with, and time is over: "
        "give explore.minutes 0.2 more"
    )


def test_the_same_race_twice_is_the_same():
    first, second = (Machine({"a": 1.0, "b": 1.1, "c": 1.2}, seed=3) for _ in range(2))
    assert first.race() == second.race()
    assert first.calls == second.calls


def test_who_went_on_is_remembered_round_by_round():
    machine = Machine({"a": 1.0, "b": 1.5, "c": 2.0, "d": 4.0}, noise=0.0)
    machine.scores = lambda names: {
        name: Score(rate, rate * 0.9, rate * 1.1)
        for name, rate in machine.rates.items()
        if name in names
    }
    found = machine.race()
    assert found.history == [Round(1.0, ("a", "b", "c", "d"), ("d",))]
    machine.scores = lambda names: {name: Score(1.0, 0.1, 10.0) for name in names}
    found = machine.race(budget_s=4 * 1 + 4 * 2)
    assert [(each.seconds, each.kept) for each in found.history] == [
        (1.0, ("a", "b", "c", "d")),
        (2.0, ("a", "b", "c", "d")),
    ]


def test_without_candidates_nothing_is_raced():
    assert Machine({}).race().ended == "nothing can be raced"
