"""cores.py: what is allowed, how it is laid out, and what the machine hides."""

from bertsquad.machine.cores import Cores, read_cores
from bertsquad.machine.topology import Core
from machine.trees import container, two_sockets, write

STATUS = {"proc/self/status": "Cpus_allowed_list:\t0-1,4\nMems_allowed_list:\t0\n"}


def test_two_sockets(tmp_path):
    assert read_cores(write(two_sockets(tmp_path), STATUS)) == Cores(
        [0, 1, 4],
        [Core(0, (0, 4)), Core(0, (1, 5)), Core(1, (2, 6)), Core(1, (3, 7))],
        None,
        {0: [0, 1, 4, 5], 1: [2, 3, 6, 7]},
        [0],
    )


def test_a_machine_that_hides_all_but_what_is_allowed(tmp_path):
    cores = read_cores(write(tmp_path, STATUS))
    assert cores == Cores([0, 1, 4], (), None, {}, [0])
    assert cores.by_socket() == {0: [0, 1, 4]}


def test_one_processor_stands_for_each_core_with_an_allowed_one():
    cores = [Core(0, (0, 4)), Core(0, (1, 5)), Core(1, (2, 6)), Core(1, (3, 7))]
    assert Cores([0, 4, 5, 6], cores).by_socket() == {0: [0, 5], 1: [6]}


def test_the_quota_of_a_container(tmp_path):
    cores = read_cores(container(tmp_path))
    assert (cores.quota, cores.whole_quota) == (0.5, 1)


def test_a_quota_in_whole_processors(tmp_path):
    files = {
        **STATUS,
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        "sys/fs/cgroup/cpu.max": "250000 100000\n",
    }
    assert read_cores(write(tmp_path, files)).whole_quota == 2
    assert Cores([0]).whole_quota is None
