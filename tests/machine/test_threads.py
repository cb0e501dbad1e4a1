"""How many threads to use: physical cores, allowed ones, within the quota."""

import pytest

from bertsquad.machine.threads import count_usable_cores, usable_cores
from bertsquad.machine.topology import Core

TWO_SOCKETS = [Core(0, (0, 4)), Core(0, (1, 5)), Core(1, (2, 6)), Core(1, (3, 7))]


@pytest.mark.parametrize(
    ("allowed", "quota", "count"),
    [
        (range(8), None, 4),
        ([0, 4], None, 1),
        ([0, 1, 4, 5], None, 2),
        (range(8), 2.5, 2),
        (range(8), 0.5, 1),
        (range(8), 100.0, 4),
    ],
)
def test_cores_and_not_hardware_threads_within_the_quota(allowed, quota, count):
    assert count_usable_cores(list(allowed), TWO_SOCKETS, quota) == count


def test_where_cores_are_unknown_every_allowed_processor_counts():
    assert count_usable_cores([0, 1, 2], [], None) == 3


def test_this_machine_has_at_least_one():
    assert usable_cores() >= 1
