"""A measurement waits for a quiet machine, and not for ever."""

from pathlib import Path

import pytest

from bertsquad.benchmark.quiet import Patience, wait_for_quiet

BUSY = {"other_cpus": 1.2, "stolen_cpus": 0.0}
QUIET = {"other_cpus": 0.1, "stolen_cpus": 0.0}


class Machine:
    """Busy for so many looks, each half a second."""

    def __init__(self, *looks):
        self.looks = list(looks)
        self.now = 0.0
        self.told = []

    def look(self):
        self.now += 0.5
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def wait(self, seen, seconds=30.0):
        return wait_for_quiet(
            seen, seconds, look=self.look, clock=lambda: self.now, tell=self.told.append
        )


def test_on_a_quiet_machine_nothing_is_waited_for_nor_said():
    machine = Machine(BUSY)
    waited = machine.wait(QUIET)
    assert (waited.seconds, waited.quiet, machine.told) == (0.0, True, [])


def test_it_goes_on_once_the_machine_is_quiet_for_a_second_and_says_so():
    machine = Machine(BUSY, QUIET, BUSY, BUSY, QUIET)
    waited = machine.wait(BUSY)
    assert (waited.seconds, waited.quiet) == (3.0, True)
    assert machine.told == [
        "others keep 1.2 CPUs busy: waiting up to 30 s for a quiet machine",
        "quiet after 3.0 s",
    ]


def test_it_goes_on_after_the_time_that_it_may_wait_and_says_so():
    machine = Machine(BUSY)
    waited = machine.wait(BUSY, 5.0)
    assert (waited.seconds, waited.quiet) == (5.0, False)
    assert machine.told[1:] == ["not quiet after 5.0 s (others keep 1.2 CPUs busy): going on"]


def test_other_virtual_machines_are_waited_for_too():
    assert Machine(QUIET).wait({"other_cpus": 0.0, "stolen_cpus": 0.9}).seconds == 1.0


def test_without_patience_nothing_is_waited_for():
    machine = Machine(BUSY)
    assert machine.wait(BUSY, 0.0).quiet is False
    assert machine.told == []


def test_where_the_system_does_not_tell_nothing_is_waited_for():
    assert Machine(BUSY).wait({"unavailable": "a sandbox"}).quiet is None


@pytest.fixture
def shared(tmp_path):
    """Patience of 60 s at a time that the test sets."""
    clock = [1000.0]
    return Patience(60, tmp_path / "deep/patience.json", lambda: clock[0]), clock


def test_what_one_cell_waits_the_next_cannot(shared):
    patience, _ = shared
    assert patience.share() == 30.0
    patience.spend(30.0)
    assert (patience.left(), patience.share()) == (30.0, 15.0)
    patience.spend(100.0)
    assert patience.left() == 0.0


def test_after_an_hour_all_of_it_is_there_again_and_no_more(shared):
    patience, clock = shared
    patience.spend(60.0)
    clock[0] += 600.0
    assert patience.left() == pytest.approx(10.0)
    clock[0] += 36000.0
    assert patience.left() == 60.0


def test_a_clock_that_was_set_back_takes_nothing(shared):
    patience, clock = shared
    patience.spend(20.0)
    clock[0] -= 500.0
    assert patience.left() == 40.0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"left_s": "x", "at": 0}'])
def test_a_damaged_file_is_no_hindrance(tmp_path, text):
    path = tmp_path / "patience.json"
    path.write_text(text)
    assert Patience(60, path).left() == 60


def test_a_file_that_cannot_be_written_is_no_hindrance():
    Patience(60, Path("/proc/nowhere/patience.json")).spend(5.0)


def test_alone_all_of_it_may_be_waited_each_time():
    patience = Patience(60)
    patience.spend(50.0)
    assert patience.share() == 60
    assert patience.suffices(1000.0)
