"""Who keeps the processors busy, from the clocks of the system."""

import os
import subprocess
import sys

import psutil
import pytest

from bertsquad.machine import activity
from bertsquad.machine.activity import Clocks, Watch, difference, observe
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
TREE = {
    1: (0, "init"),
    10: (1, "bash\0-c\0snakemake --cores all"),
    20: (10, "python3.11\0/env/bin/snakemake\0--cores\0all"),
    30: (20, "/env/bin/python\0-m\0snakemake\0--snakefile"),
    31: (20, "python"),
    40: (30, "python\0scripts/finetune.py"),
    41: (40, "python"),
    50: (10, "vim\0Snakefile"),
}


@pytest.fixture
def processes(tmp_path, monkeypatch):
    """The processes of TREE, each with 1 + 2 seconds of its own, 3 + 4 of ended children, in the
    files that psutil reads."""
    times = " ".join(str(seconds * TICK) for seconds in (1, 2, 3, 4))
    for pid, (parent, command) in TREE.items():
        stat = f"{pid} (a) (b) S {parent} {'0 ' * 9}{times} 20 0 1 0 {pid} {'0 ' * 30}\n"
        write(tmp_path, {f"proc/{pid}/stat": stat, f"proc/{pid}/cmdline": f"{command}\0"})
    machine = " ".join(str(seconds * TICK) for seconds in (60, 5, 10, 999, 999, 1, 2, 3, 0, 0))
    write(tmp_path, {"proc/stat": f"cpu  {machine}\ncpu0 {machine}\nbtime 1000\n"})
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))
    return tmp_path / "proc"


LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")


@LINUX
def test_our_workflow_is_the_outermost_snakemake_and_all_below_it(processes):
    found = activity.workflow(psutil.Process(40))
    assert {process.pid for process in found} == {20, 30, 31, 40, 41}


@LINUX
def test_without_snakemake_it_is_the_process_and_its_children(processes):
    for pid in (20, 30):
        (processes / f"{pid}/cmdline").write_text("python\0")
    assert [process.pid for process in activity.workflow(psutil.Process(40))] == [40, 41]


@LINUX
def test_snakemake_is_known_by_its_name(processes):
    assert [pid for pid in TREE if activity.is_snakemake(psutil.Process(pid))] == [20, 30]


@LINUX
def test_the_clocks_of_machine_and_workflow(processes, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 40)
    clocks = activity.read_clocks()
    assert (clocks.busy, clocks.stolen, clocks.ours) == (78.0, 3.0, 50.0)


@LINUX
def test_a_watch_sees_what_happened_meanwhile(processes, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 50)
    watch = Watch()
    later = " ".join(str(seconds * TICK) for seconds in (64, 5, 10, 999, 999, 1, 2, 3, 0, 0))
    (processes / "stat").write_text(f"cpu  {later}\nbtime 1000\n")
    stat = (processes / "50/stat").read_text()
    (processes / "50/stat").write_text(stat.replace(f" {TICK} ", f" {2 * TICK} ", 1))
    seen = watch.result()
    assert seen["other_cpus"] == pytest.approx(3 * seen["workflow_cpus"], rel=0.1)


@LINUX
def test_a_system_without_these_files_is_unavailable(tmp_path, monkeypatch):
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert set(observe(0)) == {"unavailable"}


def test_a_busy_child_of_ours_is_our_own_work():
    """Whatever else runs here: the child's work is not counted as others'."""
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        watch = Watch()
        while sum(psutil.Process(child.pid).cpu_times()) < 0.4:
            pass
        seen = watch.result()
    finally:
        child.kill()
        child.wait()
    assert seen["workflow_cpus"] * seen["seconds"] >= 0.25
