"""What disturbed a measurement, from counters read at both ends."""

import pytest

from bertsquad.machine.noise import Meter, Reading, difference, read
from bertsquad.machine.reading import is_unavailable
from machine.trees import write

COUNTERS = {
    **{"busy_s": 10.0, "run_delay_s": 1.0, "steal_s": 5.0, "psi_s": 2.0, "throttled_s": 0.0},
    **{"nvcsw": 10, "nivcsw": 3, "majflt": 1, "minflt": 100},
}
CGROUP = {
    "proc/self/cgroup": "0::/job\n",
    "proc/self/mountinfo": "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    "sys/fs/cgroup/job/cpu.stat": "usage_usec 9\nnr_throttled 2\nthrottled_usec 1500000\n",
}


def after(**grown: float) -> Reading:
    return Reading(3.0, COUNTERS | {name: COUNTERS[name] + more for name, more in grown.items()})


def found(other_s: float | None = 100.0, **grown: float) -> dict:
    return difference(Reading(1.0, dict(COUNTERS)), after(**grown), other_s)


def test_shares_are_of_the_time_that_our_threads_computed():
    noise = found(busy_s=4.0, run_delay_s=0.2, steal_s=0.11)
    assert noise["seconds"] == 2.0
    assert noise["waited_share"] == pytest.approx(0.05)
    assert noise["stolen_share"] == pytest.approx(0.025)  # less a tick of the clock


def test_threads_that_wait_for_each_other_are_not_disturbed():
    assert found(0.0, busy_s=4.0, run_delay_s=2.0)["waited_share"] == 0.0
    assert found(0.05, busy_s=4.0, run_delay_s=2.0)["waited_share"] == pytest.approx(0.01)


def test_without_others_clocks_or_our_own_there_is_no_share():
    assert "waited_share" not in found(None, busy_s=4.0, run_delay_s=2.0)
    assert "waited_share" not in found(busy_s=0.0, run_delay_s=2.0)


def test_a_counter_that_is_not_there_stays_unavailable():
    lost = Reading(1.0, COUNTERS | {"steal_s": {"unavailable": "a sandbox"}})
    noise = difference(lost, after(busy_s=4.0), 0.0)
    assert noise["steal_s"] == {"unavailable": "a sandbox"}
    assert "stolen_share" not in noise


def test_the_counters_of_a_system(tmp_path):
    root = write(
        tmp_path,
        CGROUP
        | {
            "proc/self/task/1/schedstat": "2000000000 500000000 7\n",
            "proc/self/task/2/schedstat": "1000000000 250000000 7\n",
            "proc/stat": "cpu  1 2 3 4 5 6 7 250 0 0\n",
            "proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=3000000\n",
        },
    )
    counters = read(root).counters
    assert (counters["busy_s"], counters["run_delay_s"]) == (3.0, 0.75)
    assert (counters["steal_s"], counters["psi_s"]) == (2.5, 3.0)
    assert counters["throttled_s"] == 1.5


def test_a_system_without_them_says_so(tmp_path):
    counters = read(tmp_path).counters
    assert {"busy_s", "steal_s", "psi_s", "throttled_s"} <= {
        name for name, value in counters.items() if isinstance(value, dict)
    }


def test_only_what_is_timed_is_metered():
    told = []
    meter = Meter(lambda *progress: told.append(progress))
    meter.progress("load", 0, 1)
    assert meter.result() == {}
    meter.progress("timing", 0, 2)
    first = meter.first
    meter.progress("timing", 1, 2)
    assert meter.first is first
    assert meter.result()["seconds"] >= 0
    assert told == [("load", 0, 1), ("timing", 0, 2), ("timing", 1, 2)]


def test_the_counters_of_another_process(tmp_path):
    root = write(
        tmp_path,
        {
            "proc/7/task/7/schedstat": "4000000000 500000000 7\n",
            "proc/7/stat": "7 (a b) c) S 1 7 7 0 -1 0 100 200 3 400 5 6\n",
            "proc/7/status": "Name:\ta\nvoluntary_ctxt_switches:\t8\n"
            "nonvoluntary_ctxt_switches:\t9\n",
        },
    )
    counters = read(root, 7).counters
    assert (counters["busy_s"], counters["run_delay_s"]) == (4.0, 0.5)
    assert (counters["minflt"], counters["majflt"]) == (100, 3)
    assert (counters["nvcsw"], counters["nivcsw"]) == (8, 9)


def test_a_process_that_has_ended_has_no_counters(tmp_path):
    assert is_unavailable(read(tmp_path, 7).counters["majflt"])
