"""Cores, sockets, NUMA nodes and caches from a /sys of another machine."""

import pytest

from bertsquad.machine.topology import (
    Core,
    allowed_memory_nodes,
    cores_from_places,
    describe_cores,
    find_cores,
    read_caches,
    read_cores,
    read_numa_memory,
    read_numa_nodes,
)
from machine.trees import broken, two_sockets, write


def test_two_sockets_with_two_threads_a_core(tmp_path):
    cores = read_cores(two_sockets(tmp_path))
    assert cores == [Core(0, (0, 4)), Core(0, (1, 5)), Core(1, (2, 6)), Core(1, (3, 7))]
    assert describe_cores(cores) == {
        "sockets": 2,
        "cores": 4,
        "threads_per_core": 2,
        "logical": 8,
        "cores_by_socket": {"0": ["0,4", "1,5"], "1": ["2,6", "3,7"]},
    }


def test_a_thread_that_is_offline_is_left_out(tmp_path):
    write(two_sockets(tmp_path), {"sys/devices/system/cpu/online": "0-6\n"})
    assert read_cores(tmp_path)[-1] == Core(1, (3,))


def test_firmware_that_names_no_socket_means_one(tmp_path):
    two_sockets(tmp_path)
    for cpu in range(8):
        name = f"sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id"
        write(tmp_path, {name: "-1\n"})
    assert {core.socket for core in read_cores(tmp_path)} == {0}


def test_caches_are_counted_once_however_many_processors_share_them(tmp_path):
    assert read_caches(two_sockets(tmp_path)) == {
        "L1d": {"size_kib": 48, "instances": 4},
        "L3": {"size_kib": 2048, "instances": 2},
    }


def test_numa_nodes_hold_processors(tmp_path):
    assert read_numa_nodes(two_sockets(tmp_path)) == {0: [0, 1, 4, 5], 1: [2, 3, 6, 7]}


def test_a_numa_node_may_hold_memory_only(tmp_path):
    write(two_sockets(tmp_path), {"sys/devices/system/node/node1/cpulist": "\n"})
    assert read_numa_nodes(tmp_path)[1] == []


def test_hidden_caches_are_an_error_that_says_so(tmp_path):
    write(tmp_path, {"sys/devices/system/cpu/online": "0\n"})
    with pytest.raises(ValueError, match="hides the caches"):
        read_caches(tmp_path)


def test_cores_from_cpuinfo_where_sys_is_hidden():
    places = {0: (0, 0), 1: (0, 1), 2: (0, 0), 3: (0, 1), 4: (1, 0)}
    assert cores_from_places(places) == [Core(0, (0, 2)), Core(0, (1, 3)), Core(1, (4,))]


def test_no_places_are_an_error_and_not_no_cores():
    with pytest.raises(ValueError, match="neither /sys nor /proc/cpuinfo"):
        cores_from_places({})


def test_memory_of_each_node(tmp_path):
    assert read_numa_memory(two_sockets(tmp_path)) == {0: 65536, 1: 65536}


def test_memory_is_allowed_on_nodes(tmp_path):
    assert allowed_memory_nodes(two_sockets(tmp_path)) == [0, 1]


def test_cores_are_found_in_proc_where_sys_is_broken(tmp_path):
    assert find_cores(broken(tmp_path)) == [Core(0, (0, 2)), Core(0, (1, 3))]


def test_where_neither_tells_the_error_is_that_of_sys(tmp_path):
    with pytest.raises(FileNotFoundError, match="sys/devices/system/cpu/online"):
        find_cores(tmp_path)
