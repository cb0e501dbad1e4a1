"""Where processes run: nodes that exist, cores of their own, and reasons for what cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.console.errors import UserError
from bertsquad.distributed.placement import Node, Place, place, usable_nodes
from bertsquad.machine.cores import read_cores
from machine.trees import two_sockets, write


def cooper_lake(nodes=4, cores=24):
    """4 sockets of 24 cores, the machine of the guide's `numactl -N 0..3`."""
    return [Node(n, tuple(range(n * cores, (n + 1) * cores)), True) for n in range(nodes)]


# From the system


def nodes(root, cpus):
    """The nodes where these processors are allowed."""
    path = root / "proc/self/status"
    old = path.read_text(encoding="utf-8") if path.is_file() else "Name:\tpython\n"
    kept = "".join(line for line in old.splitlines(True) if not line.startswith("Cpus_allowed"))
    write(root, {"proc/self/status": f"{kept}Cpus_allowed_list:\t{cpus}\n"})
    return usable_nodes(read_cores(root))


def status(root, memory):
    return write(root, {"proc/self/status": f"Name:\tpython\nMems_allowed_list:\t{memory}\n"})


def test_a_node_has_one_processor_of_each_allowed_core(tmp_path):
    status(two_sockets(tmp_path), "0-1")
    assert nodes(tmp_path, "0-7") == [Node(0, (0, 1), True), Node(1, (2, 3), True)]


def test_a_second_hardware_thread_stands_for_its_core_where_the_first_is_not_allowed(tmp_path):
    status(two_sockets(tmp_path), "0-1")
    assert nodes(tmp_path, "1,4,6") == [Node(0, (1, 4), True), Node(1, (6,), True)]


def test_a_node_outside_the_cpuset_is_no_place(tmp_path):
    status(two_sockets(tmp_path), "1")
    assert nodes(tmp_path, "2-3,6-7") == [Node(1, (2, 3), False)]


def test_memory_that_may_not_be_used_is_not_bound(tmp_path):
    status(two_sockets(tmp_path), "0")
    assert [node.memory for node in nodes(tmp_path, "0-7")] == [False, False]


def test_a_node_of_memory_alone_is_no_place(tmp_path):
    status(two_sockets(tmp_path), "0-2")
    node = "sys/devices/system/node"
    write(tmp_path, {f"{node}/online": "0-2\n", f"{node}/node2/cpulist": "\n"})
    assert [node.number for node in nodes(tmp_path, "0-7")] == [0, 1]


def test_a_system_without_sys_is_one_node_of_all_allowed_processors(tmp_path):
    assert nodes(tmp_path, "3,5") == [Node(None, (3, 5), False)]


# One process a node


def test_by_default_there_is_a_process_a_node_with_a_core_kept_for_communication():
    assert place(cooper_lake()) == [
        Place(tuple(range(n, n + 23)), (n + 23,), (number,), 23)
        for number, n in enumerate((0, 24, 48, 72))
    ]


def test_two_sockets_get_two_processes_and_not_the_guides_four():
    assert [found.memory_nodes for found in place(cooper_lake(nodes=2))] == [(0,), (1,)]


def test_one_node_gets_one_process_that_keeps_no_core_for_talking_to_itself():
    assert place([Node(0, tuple(range(16)), False)]) == [Place(tuple(range(16)), (), (), 16)]


def test_small_processes_keep_no_core_for_communication():
    nodes = [Node(0, (0, 1, 2, 3), True), Node(1, (4, 5, 6, 7), True)]
    assert place(nodes) == [Place((0, 1, 2, 3), (), (0,), 4), Place((4, 5, 6, 7), (), (1,), 4)]


# Several processes a node, or several nodes a process


def test_processes_of_a_node_split_its_cores():
    found = place(cooper_lake(nodes=2, cores=4), 4, communication_cores=1)
    assert [(p.cpus, p.communication_cpus, p.memory_nodes) for p in found] == [
        ((0,), (1,), (0,)),
        ((2,), (3,), (0,)),
        ((4,), (5,), (1,)),
        ((6,), (7,), (1,)),
    ]


def test_a_larger_node_gets_more_processes():
    nodes = [Node(0, tuple(range(12)), True), Node(1, tuple(range(12, 16)), True)]
    found = place(nodes, 4)
    assert [p.memory_nodes for p in found] == [(0,), (0,), (0,), (1,)]
    assert [p.threads for p in found] == [4, 4, 4, 4]


def test_fewer_processes_than_nodes_take_several_nodes_each():
    found = place(cooper_lake(nodes=4, cores=2), 2)
    assert [(p.cpus, p.memory_nodes) for p in found] == [
        ((0, 1, 2, 3), (0, 1)),
        ((4, 5, 6, 7), (2, 3)),
    ]


# Limits


def test_a_limit_is_shared_and_binds_threads_not_cores():
    """Which of its cores another job keeps busy, only the kernel knows."""
    found = place(cooper_lake(nodes=2), limit=20)
    assert [(len(p.cpus), len(p.communication_cpus), p.threads) for p in found] == [(23, 1, 9)] * 2


def test_fewer_cores_than_nodes_allow_fewer_processes():
    assert len(place(cooper_lake(), limit=3)) == 3


@pytest.mark.parametrize(
    ("nodes", "options", "reason"),
    [
        (cooper_lake(1, 2), {"processes": 3}, "this job may use 2 (2 physical cores); ask for 2"),
        (
            cooper_lake(2, 4),
            {"processes": 4, "limit": 3},
            "may use 3 (8 physical cores, limited by threads or a quota)",
        ),
        (
            cooper_lake(2, 2),
            {"communication_cores": 2},
            "2 communication cores of each process leave none to compute with: a process has 2",
        ),
    ],
)
def test_what_is_impossible_is_refused_with_the_reason(nodes, options, reason):
    with pytest.raises(UserError) as error:
        place(nodes, **options)
    assert reason in str(error.value)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    processes=st.integers(1, 40),
    limit=st.none() | st.integers(1, 60),
    communication=st.none() | st.integers(0, 2),
)
def test_no_two_processes_share_a_core_and_none_leaves_its_nodes(
    sizes, processes, limit, communication
):
    first = [sum(sizes[:n]) for n in range(len(sizes))]
    nodes = [
        Node(n, tuple(range(start, start + size)), True)
        for n, (start, size) in enumerate(zip(first, sizes, strict=True))
    ]
    try:
        found = place(nodes, processes, limit=limit, communication_cores=communication)
    except UserError:
        return
    assert len(found) == processes
    cpus = [cpu for p in found for cpu in (*p.cpus, *p.communication_cpus)]
    assert sorted(cpus) == list(range(sum(sizes)))
    busy = sum(p.threads + len(p.communication_cpus) for p in found)
    assert busy <= min(sum(sizes), limit or sum(sizes))
    for p in found:
        assert 1 <= p.threads <= len(p.cpus)
        owners = {
            node.number for node in nodes if set(node.cpus) & {*p.cpus, *p.communication_cpus}
        }
        assert owners == set(p.memory_nodes)
        assert len(owners) == 1 or processes < len(nodes)
