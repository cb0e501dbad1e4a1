"""Memory in MiB."""

from bertsquad.machine.memory import (
    machine_memory_mib,
    parse_kib_lines,
    peak_memory_mib,
    proportional_memory_mib,
    resident_memory_mib,
)
from machine.trees import write


def test_kib_lines_and_nothing_else():
    text = "Name:\tpython\nVmHWM:\t   2048 kB\nThreads:\t1\nHugePages_Total:       0\n"
    assert parse_kib_lines(text) == {"VmHWM": 2048}


def test_all_memory_of_the_machine(tmp_path):
    files = {"proc/meminfo": "MemTotal:       24684096 kB\nMemFree:  1 kB\n"}
    assert machine_memory_mib(write(tmp_path, files)) == 24105


def test_the_peak_remembers_what_was_freed():
    before = resident_memory_mib()
    block = b"x" * (200 * 1024**2)
    del block
    assert peak_memory_mib() >= before + 150


def test_proportional_memory_is_at_most_the_resident_one():
    assert 0 < proportional_memory_mib() <= resident_memory_mib() + 1
