"""How many threads to use and where: physical cores of one socket, allowed ones, in the quota."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.machine.threads import (
    Team,
    choose_team,
    default_team,
    settle,
    spread_team,
    take_cores,
    team_of,
)
from bertsquad.machine.topology import Core
from machine.trees import container, cooper_lake, two_sockets

TWO_SOCKETS = [Core(0, (0, 4)), Core(0, (1, 5)), Core(1, (2, 6)), Core(1, (3, 7))]


@pytest.mark.parametrize(
    ("allowed", "quota", "at_most", "team"),
    [
        (range(8), None, None, Team(2, (0, 1), (0,))),
        # Snakemake's --cores all counts hardware threads and sockets.
        (range(8), None, 8, Team(2, (0, 1), (0,))),
        (range(8), None, 1, Team(1, (0, 1), (0,))),
        ([0, 4], None, None, Team(1, (0,), (0,))),
        ([4, 5], None, None, Team(2, (4, 5), (0,))),
        ([0, 2, 3], None, None, Team(2, (2, 3), (1,))),
        (range(8), 1.5, None, Team(1, (0, 1), (0,))),
        (range(8), 0.5, None, Team(1, (0, 1), (0,))),
        (range(8), 100.0, None, Team(2, (0, 1), (0,))),
    ],
)
def test_one_thread_on_each_core_of_the_socket_with_the_most(allowed, quota, at_most, team):
    assert choose_team(list(allowed), TWO_SOCKETS, quota, at_most) == team


def test_where_cores_are_unknown_every_allowed_processor_counts():
    assert choose_team([0, 1, 2], [], None) == Team(3, (0, 1, 2), ())


@pytest.mark.parametrize(
    ("threads", "team"),
    [
        (1, Team(1, (0, 1), (0,))),
        (2, Team(2, (0, 1), (0,))),
        (3, Team(3, (0, 1, 2, 3), (0, 1))),
        (4, Team(4, (0, 1, 2, 3), (0, 1))),
        (5, Team(5, (0, 1, 2, 3, 4, 5, 6, 7), (0, 1))),
        (9, Team(9, (0, 1, 2, 3, 4, 5, 6, 7), (0, 1))),
    ],
)
def test_a_measurement_gets_the_threads_it_asks_for_on_cores_while_there_are_some(threads, team):
    assert spread_team(list(range(8)), TWO_SOCKETS, threads) == team


@given(
    allowed=st.sets(st.integers(0, 7), min_size=1),
    quota=st.none() | st.floats(0.01, 16),
    at_most=st.none() | st.integers(1, 16),
)
def test_a_team_stays_within_what_is_allowed(allowed, quota, at_most):
    team = choose_team(sorted(allowed), TWO_SOCKETS, quota, at_most)
    assert set(team.cpus) <= allowed
    assert 1 <= team.threads <= len(team.cpus)
    assert team.threads <= (at_most or 16)
    cores = [core for core in TWO_SOCKETS if set(core.cpus) & set(team.cpus)]
    assert len(cores) == len(team.cpus)
    assert len({core.socket for core in cores}) == 1


def test_never_the_guides_constants(tmp_path):
    """22 training threads, and inference on processors 0-27, whatever the machine."""
    assert default_team(root=cooper_lake(tmp_path / "a")) == Team(28, tuple(range(28)), (0,))
    assert default_team(root=two_sockets(tmp_path / "b")) == Team(2, (0, 1), (0,))
    assert default_team(root=container(tmp_path / "c")) == Team(1, (0, 1), (0,))
    assert team_of(2, root=container(tmp_path / "d")) == Team(2, (0, 1), (0,))


def test_a_team_in_words():
    assert str(Team(28, tuple(range(28)), (0,))) == "28 threads on processors 0-27 of socket 0"
    assert str(Team(1, (3,), ())) == "1 thread on processor 3"


def test_this_machine_has_at_least_one():
    assert default_team().threads >= 1


@pytest.fixture
def affinity(monkeypatch):
    """The mask of this process, without really changing it."""
    mask = {0, 1, 2, 3}
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(mask), raising=False)

    def set_mask(pid, cpus):
        mask.clear()
        mask.update(cpus)

    monkeypatch.setattr(os, "sched_setaffinity", set_mask, raising=False)
    return mask


def test_settling_keeps_the_process_on_the_teams_processors(affinity):
    assert settle(Team(2, (0, 1), (0,)), {}) is None
    assert affinity == {0, 1}


def test_what_the_user_has_placed_stays(affinity):
    reason = settle(Team(2, (0, 1), (0,)), {"GOMP_CPU_AFFINITY": "2 3"})
    assert reason == "GOMP_CPU_AFFINITY is set"
    assert affinity == {0, 1, 2, 3}


def test_a_refused_binding_is_no_reason_to_stop(monkeypatch, affinity):
    def refuse(pid, cpus):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    reason = settle(Team(2, (0, 1), (0,)), {})
    assert reason == "binding is not permitted: Operation not permitted"


def test_a_command_takes_no_more_than_it_is_given(affinity):
    assert take_cores(1) == 1
