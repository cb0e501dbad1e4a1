"""How many threads to use and where: physical cores of one socket, allowed ones, in the quota."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.machine.cores import Cores, read_cores
from bertsquad.machine.threads import Threads, bind, choose_threads, spread_threads, take_cores
from bertsquad.machine.topology import Core
from machine.trees import container, cooper_lake, two_sockets

TWO_SOCKETS = [Core(0, (0, 4)), Core(0, (1, 5)), Core(1, (2, 6)), Core(1, (3, 7))]


@pytest.mark.parametrize(
    ("allowed", "quota", "at_most", "expected"),
    [
        (range(8), None, None, Threads(2, (0, 1), (0,))),
        # Snakemake's --cores all counts hardware threads and sockets.
        (range(8), None, 8, Threads(2, (0, 1), (0,))),
        (range(8), None, 1, Threads(1, (0, 1), (0,))),
        ([0, 4], None, None, Threads(1, (0,), (0,))),
        ([4, 5], None, None, Threads(2, (4, 5), (0,))),
        ([0, 2, 3], None, None, Threads(2, (2, 3), (1,))),
        (range(8), 1.5, None, Threads(1, (0, 1), (0,))),
        (range(8), 0.5, None, Threads(1, (0, 1), (0,))),
        (range(8), 100.0, None, Threads(2, (0, 1), (0,))),
    ],
)
def test_one_thread_on_each_core_of_the_socket_with_the_most(allowed, quota, at_most, expected):
    assert choose_threads(Cores(list(allowed), TWO_SOCKETS, quota), at_most) == expected


def test_where_cores_are_unknown_every_allowed_processor_counts():
    assert choose_threads(Cores([0, 1, 2])) == Threads(3, (0, 1, 2), ())


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, Threads(1, (0, 1), (0,))),
        (2, Threads(2, (0, 1), (0,))),
        (3, Threads(3, (0, 1, 2, 3), (0, 1))),
        (4, Threads(4, (0, 1, 2, 3), (0, 1))),
        (5, Threads(5, (0, 1, 2, 3, 4, 5, 6, 7), (0, 1))),
        (9, Threads(9, (0, 1, 2, 3, 4, 5, 6, 7), (0, 1))),
    ],
)
def test_a_measurement_gets_the_threads_it_asks_for_on_cores_while_there_are_some(count, expected):
    assert spread_threads(Cores(range(8), TWO_SOCKETS), count) == expected


@given(
    allowed=st.sets(st.integers(0, 7), min_size=1),
    quota=st.none() | st.floats(0.01, 16),
    at_most=st.none() | st.integers(1, 16),
)
def test_threads_stay_within_what_is_allowed(allowed, quota, at_most):
    found = choose_threads(Cores(sorted(allowed), TWO_SOCKETS, quota), at_most)
    assert set(found.cpus) <= allowed
    assert 1 <= found.count <= len(found.cpus)
    assert found.count <= (at_most or 16)
    cores = [core for core in TWO_SOCKETS if set(core.cpus) & set(found.cpus)]
    assert len(cores) == len(found.cpus)
    assert len({core.socket for core in cores}) == 1


def test_never_the_guides_constants(tmp_path):
    """22 training threads, and inference on processors 0-27, whatever the machine."""
    assert choose_threads(read_cores(cooper_lake(tmp_path / "a"))) == Threads(
        28, tuple(range(28)), (0,)
    )
    assert choose_threads(read_cores(two_sockets(tmp_path / "b"))) == Threads(2, (0, 1), (0,))
    assert choose_threads(read_cores(container(tmp_path / "c"))) == Threads(1, (0, 1), (0,))
    assert spread_threads(read_cores(container(tmp_path / "d")), 2) == Threads(2, (0, 1), (0,))


def test_threads_in_words():
    assert str(Threads(28, tuple(range(28)), (0,))) == "28 threads on processors 0-27 of socket 0"
    assert str(Threads(1, (3,), ())) == "1 thread on processor 3"


def test_this_machine_has_at_least_one():
    assert choose_threads(read_cores()).count >= 1


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


def test_binding_keeps_the_process_on_their_processors(affinity):
    assert bind(Threads(2, (0, 1), (0,)), {}) is None
    assert affinity == {0, 1}


def test_what_the_user_has_placed_stays(affinity):
    reason = bind(Threads(2, (0, 1), (0,)), {"GOMP_CPU_AFFINITY": "2 3"})
    assert reason == "GOMP_CPU_AFFINITY is set"
    assert affinity == {0, 1, 2, 3}


def test_a_refused_binding_is_no_reason_to_stop(monkeypatch, affinity):
    def refuse(pid, cpus):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    reason = bind(Threads(2, (0, 1), (0,)), {})
    assert reason == "CPU binding is not permitted: Operation not permitted"


def test_a_command_takes_no_more_than_it_is_given(affinity):
    assert take_cores(1) == 1
