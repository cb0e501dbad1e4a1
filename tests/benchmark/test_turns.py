"""Turns of the contenders."""

from typing import Any

from bertsquad.benchmark.side_process import SideFailed
from bertsquad.benchmark.turns import interleave


class FakeSide:
    """Notes its turns in a list that all share; fails from its turn `fails_at` on."""

    pid = None

    def __init__(self, name: str, turns: list[str], fails_at: int | None = None) -> None:
        self.name, self.turns, self.fails_at = name, turns, fails_at

    def run(self) -> dict[str, Any]:
        if self.fails_at is not None and self.turns.count(self.name) >= self.fails_at:
            raise SideFailed(f"{self.name}: out of memory")
        self.turns.append(self.name)
        return {"seconds": 1.0, "features": 4}


def run(rounds: int, seed: int = 0, **fails_at: int | None) -> tuple:
    turns: list[str] = []
    processes = {name: FakeSide(name, turns, fails) for name, fails in fails_at.items()}
    samples, failed = interleave(processes, rounds=rounds, seed=seed)
    return turns, samples, failed


def test_every_side_runs_once_in_every_round():
    turns, _, _ = run(5, a=None, b=None, c=None)
    assert [sorted(turns[at : at + 3]) for at in range(0, 15, 3)] == [["a", "b", "c"]] * 5


def test_the_order_is_drawn_anew_in_each_round_from_the_seed():
    turns, _, _ = run(8, a=None, b=None, c=None)
    assert len({tuple(turns[at : at + 3]) for at in range(0, 24, 3)}) > 2
    assert run(8, a=None, b=None, c=None)[0] == turns
    assert run(8, seed=1, a=None, b=None, c=None)[0] != turns


def test_a_sample_says_whose_it_is_in_which_round_and_who_else_was_busy():
    _, samples, _ = run(2, a=None)
    assert [sample["round"] for sample in samples] == [1, 2]
    assert samples[0].keys() == {
        *("contender", "round", "seconds", "features"),
        *("activity", "noise", "validity"),
    }


def test_a_side_that_fails_is_named_and_takes_no_further_turn():
    turns, samples, failed = run(3, a=None, b=1)
    assert turns.count("a") == 3
    assert turns.count("b") == 1
    assert failed == {"b": "b: out of memory"}
    assert len(samples) == 4


def test_after_8_rounds_only_the_undecided_go_on():
    turns: list[str] = []
    processes = {name: FakeSide(name, turns) for name in "abc"}
    interleave(processes, rounds=16, seed=0, undecided=lambda samples: {"a", "b"})
    assert [turns.count(name) for name in "abc"] == [16, 16, 8]


def test_the_samples_are_looked_at_after_8_16_and_32_rounds_alone():
    looks: list[int] = []

    def undecided(samples: list[dict[str, Any]]) -> set[str]:
        looks.append(len(samples))
        return {"a"}

    interleave({"a": FakeSide("a", [])}, rounds=32, seed=0, undecided=undecided)
    assert looks == [8, 16, 32]
