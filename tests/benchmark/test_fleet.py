"""Lanes of real threads and processes: first come, first served; nothing is omitted."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from bertsquad.benchmark.fleet import Fleet, LostInstanceError
from bertsquad.benchmark.lanes import Schedule
from bertsquad.benchmark.layout import InstancePlace
from bertsquad.benchmark.samples import late_ms
from bertsquad.benchmark.twin import fcfs
from bertsquad.console.errors import UserError

TESTS = Path(__file__).resolve().parents[1]
OPENER = "benchmark.sleepers:open_lanes"


@pytest.fixture(autouse=True)
def path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def fleet(services_s, instances=1, streams=1, opener=OPENER):
    cpus = tuple(sorted(os.sched_getaffinity(0)))
    job = {"services_s": list(services_s), "streams": streams}
    return Fleet(opener, job, [InstancePlace(cpus, ())] * instances)


def schedule(due_s, **rule):
    due = (np.asarray(due_s) * 1e9).astype(np.int64)
    numbers = np.arange(len(due))
    return Schedule(due, numbers, np.full(len(due), 100), **rule)


@pytest.mark.parametrize(("instances", "streams"), [(1, 1), (1, 3), (2, 1), (2, 2)])
def test_latencies_are_those_of_first_come_first_served(instances, streams):
    random = np.random.default_rng(instances * 10 + streams)
    lanes = instances * streams
    services = random.uniform(0.004, 0.03, 120)
    due = np.cumsum(random.exponential(0.017 / 0.7 / lanes, 120))
    asked = schedule(due)
    found = []
    with fleet(services, instances, streams) as served:
        for _ in range(3):  # others may keep the machine busy for one of them
            samples, _ = served.serve(asked)
            assert len(samples) == 120
            assert sorted(set(samples.lane.tolist())) == list(range(lanes))
            assert np.all(samples.service_ms >= 1000 * services)
            own = fcfs(due, samples.service_ms / 1000, lanes)
            difference = np.abs(samples.latency_ms - 1000 * own)
            found.append((np.median(difference), np.median(late_ms(samples, asked))))
    assert min(difference for difference, _ in found) < 1.5
    assert min(late for _, late in found) < 1.5


def test_a_stalled_request_is_seen_by_all_that_arrive_meanwhile():
    services = np.full(150, 0.001)
    services[40] = 0.5
    with fleet(services) as served:
        samples, _ = served.serve(schedule(np.arange(1, 151) / 100))
    assert 38 <= np.sum(samples.latency_ms > 100) <= 70
    assert np.sum(samples.service_ms > 250) == 1  # all that a clock of services would see


def test_saturated_lanes_are_always_busy_until_the_time_is_over():
    with fleet(np.full(1000, 0.01), 2, 1) as served:
        samples, _ = served.serve(schedule(np.zeros(1000), until_ns=300_000_000))
    assert 40 <= len(samples) <= 62
    assert samples.end_ns.max() < 400_000_000
    for lane in (0, 1):
        own = samples.lane == lane
        gaps = samples.start_ns[own][1:] - samples.end_ns[own][:-1]
        assert np.median(gaps) < 1_000_000


def test_a_lane_takes_all_that_is_due_up_to_the_budget():
    with fleet(np.full(5, 0.5)) as served:
        samples, _ = served.serve(schedule([0, 0.3, 0.32, 0.34, 0.36], max_tokens=300))
    assert samples.batch.tolist() == [0, 1, 1, 1, 2]
    assert samples.batch_tokens.tolist() == [100, 300, 100]
    assert len(samples.service_ms) == 3


def test_a_lost_instance_ends_all_within_two_seconds_and_says_how_far_it_was():
    killed = []

    def kill(pid):
        killed.append(time.monotonic())
        os.kill(pid, signal.SIGKILL)

    with fleet(np.full(2000, 0.01), 3, 1) as served:
        pids = served.pids
        threading.Timer(0.5, kill, [pids[1]]).start()
        with pytest.raises(LostInstanceError) as lost:
            served.serve(schedule(np.arange(2000) / 200))
        assert time.monotonic() - killed[0] < 2
    words = str(lost.value)
    assert words.startswith("instance 2 of 3 ended (signal 9) after ")
    assert words.endswith(" of 2,000 requests")
    assert 20 < int(words.split()[8]) < 300
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_what_an_instance_refuses_is_the_users_to_hear():
    with pytest.raises(UserError, match="quantized: no such folder"):
        fleet([0.1], 2, opener="benchmark.sleepers:refuse").__enter__()


def test_warming_up_visits_every_feature_or_stops_in_time():
    with fleet(np.full(30, 0.01), 1, 2) as served:
        assert served.warm_up(np.arange(30), 10.0) == 30
        start = time.monotonic()
        assert 3 < served.warm_up(np.arange(30), 0.1) < 12
        assert time.monotonic() - start < 1
        assert served.pss_mib[0] > 10
