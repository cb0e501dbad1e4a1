"""Who keeps the processors busy, from the clocks of /proc."""

import os
import subprocess
import sys

import pytest

from bertsquad.machine import activity
from bertsquad.machine.activity import Clocks, Process, Watch, difference, family, observe
from machine.trees import write

TICK = os.sysconf("SC_CLK_TCK")


def test_what_is_not_ours_is_others():
    first = Clocks(at=10.0, busy=100.0, stolen=5.0, ours=40.0)
    last = Clocks(at=12.0, busy=106.0, stolen=6.0, ours=43.0)
    assert difference(first, last) == {
        "seconds": 2.0,
        "workflow_cpus": 1.5,
        "other_cpus": 1.5,
        "stolen_cpus": 0.5,
    }


def test_clocks_that_disagree_by_a_tick_give_no_negative_load():
    first, last = Clocks(0.0, 10.0, 0.0, 5.0), Clocks(1.0, 10.5, 0.0, 5.51)
    assert difference(first, last)["other_cpus"] == 0.0


def test_clocks_that_count_nothing_are_no_quiet_machine():
    with pytest.raises(LookupError, match="a sandbox hides"):
        difference(Clocks(0.0, 0.0, 0.0, 0.0), Clocks(1.0, 0.0, 0.0, 0.0))


# 1 init - 10 shell - 20 snakemake - 30 snakemake job - 40 python - 41 its child
#                                  - 31 another job
#                 - 50 an editor
PROCESSES = {1: 0, 10: 1, 20: 10, 30: 20, 31: 20, 40: 30, 41: 40, 50: 10}


def relatives(pid, snakemakes):
    processes = {number: Process(parent, 1.0) for number, parent in PROCESSES.items()}
    return family(pid, processes, lambda number: number in snakemakes)


def test_our_workflow_is_the_outermost_snakemake_and_all_below_it():
    assert relatives(40, {20, 30}) == {20, 30, 31, 40, 41}


def test_without_snakemake_it_is_the_process_and_its_children():
    assert relatives(40, set()) == {40, 41}


def test_a_process_that_has_ended_has_no_family():
    assert relatives(99, set()) == set()


def tree(root, ticks):
    return write(
        root,
        {
            "proc/stat": f"cpu  {ticks[0]} 0 {ticks[1]} 999 999 0 0 {ticks[2]} 7 0\ncpu0 1 2 3\n",
            "proc/1/stat": f"1 (init) S 0 {'0 ' * 9}{ticks[3]} 0 0 0 20 0\n",
            f"proc/{os.getpid()}/stat": (
                f"{os.getpid()} (a) (b) R 1 {'0 ' * 9}{ticks[4]} 1 2 3 20 0 1\n"
            ),
            "proc/self/stat": "not a number\n",
            "proc/2/other": "ended meanwhile\n",
        },
    )


def test_clocks_of_files(tmp_path):
    clocks = activity.read_clocks(tree(tmp_path, [30 * TICK, 10 * TICK, 2 * TICK, 500, TICK]))
    assert (clocks.busy, clocks.stolen) == (40.0, 2.0)
    assert clocks.ours == pytest.approx(1 + 6 / TICK)


def test_a_watch_sees_what_happened_meanwhile(tmp_path):
    tree(tmp_path, [TICK, TICK, 0, 0, 0])
    watch = Watch(tmp_path)
    tree(tmp_path, [4 * TICK, TICK, 0, 0, TICK])
    seen = watch.result()
    assert seen["other_cpus"] == pytest.approx(2 * seen["workflow_cpus"], rel=0.1)


def test_a_system_without_these_files_is_unavailable(tmp_path):
    assert set(observe(0, tmp_path)) == {"unavailable"}


def test_snakemake_is_known_by_its_name(tmp_path):
    lines = {
        1: "python3.11\0/env/bin/snakemake\0--cores\0all",
        2: "/env/bin/python\0-m\0snakemake\0--snakefile",
        3: "bash\0-c\0snakemake --cores all",
        4: "vim\0Snakefile",
    }
    write(tmp_path, {f"proc/{pid}/cmdline": line for pid, line in lines.items()})
    found = [pid for pid in [*lines, 5] if activity.is_snakemake(pid, tmp_path)]
    assert found == [1, 2]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is /proc on Linux alone")
def test_a_busy_child_of_ours_is_our_own_work():
    """Whatever else runs here: the child's work is not counted as others'."""
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        watch = Watch()
        before = activity.read_processes()[child.pid].seconds
        while activity.read_processes()[child.pid].seconds < before + 0.3:
            pass
        seen = watch.result()
    finally:
        child.kill()
        child.wait()
    assert seen["workflow_cpus"] * seen["seconds"] >= 0.25
