"""Layouts are read, refused where cores do not suffice, and dealt core by core."""

import pytest

from bertsquad.benchmark.layout import InstancePlace, Layout, deal, read_layout
from bertsquad.console.errors import UserError
from bertsquad.machine.cores import Cores
from bertsquad.machine.topology import Core

FOUR = Cores([0, 1, 2, 3])
# Two sockets of one NUMA node each, three cores with two hardware threads.
TWO_NODES = Cores(
    range(12),
    [Core(socket=n // 3, cpus=(n, n + 6)) for n in range(6)],
    numa_nodes={0: [0, 1, 2, 6, 7, 8], 1: [3, 4, 5, 9, 10, 11]},
    memory_nodes=[0, 1],
)


def test_a_layout_is_three_numbers():
    layout = read_layout("2x1x2", FOUR)
    assert (layout, str(layout)) == (Layout(2, 1, 2), "2x1x2")
    assert (layout.lanes, layout.cores) == (2, 4)


def test_auto_is_one_request_on_all_cores_of_a_socket():
    assert str(read_layout("auto", FOUR)) == "1x1x4"
    assert str(read_layout("auto", TWO_NODES)) == "1x1x3"
    assert str(read_layout("auto", FOUR, at_most=2)) == "1x1x2"


@pytest.mark.parametrize("text", ["2x1", "0x1x1", "2*1*1", "x", "2x1x1x1", ""])
def test_another_text_is_refused(text):
    with pytest.raises(UserError, match="expected instances x streams x threads, as 2x1x1"):
        read_layout(text, FOUR)


@pytest.mark.parametrize(
    ("cores", "at_most", "message"),
    [
        (FOUR, None, r"layout 5x1x1 takes 5 cores, but this process may use 4 \(4 physical"),
        (FOUR, 3, "may use 3 .*limited by --cores or a quota"),
        (Cores([0, 1, 2, 3], quota=2.5), None, "may use 2"),
    ],
)
def test_more_cores_than_there_are_is_refused(cores, at_most, message):
    with pytest.raises(UserError, match=message):
        read_layout("5x1x1", cores, at_most)


def test_second_hardware_threads_are_no_cores():
    with pytest.raises(UserError, match="may use 6"):
        read_layout("7x1x1", TWO_NODES)


def test_cores_are_dealt_in_order_and_memory_comes_from_their_node():
    assert deal(Layout(2, 2, 1), FOUR) == [
        InstancePlace((0, 1), ()),
        InstancePlace((2, 3), ()),
    ]
    assert deal(Layout(2, 1, 3), TWO_NODES) == [
        InstancePlace((0, 1, 2), (0,)),
        InstancePlace((3, 4, 5), (1,)),
    ]


def test_an_instance_spans_nodes_only_where_no_whole_place_is_left():
    assert deal(Layout(3, 1, 2), TWO_NODES) == [
        InstancePlace((0, 1), (0,)),
        InstancePlace((3, 4), (1,)),
        InstancePlace((2, 5), (0, 1)),
    ]
