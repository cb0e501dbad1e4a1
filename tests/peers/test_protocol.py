"""What all processes share: the features and their batches."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import protocol
from protocol import Features, timed


@pytest.fixture
def given() -> Features:
    """Features of 3, 5, 3 and 4 tokens."""
    lengths = (3, 5, 3, 4)
    ids = [np.arange(10 * n, 10 * n + length) for n, length in enumerate(lengths, start=1)]
    segments = [np.arange(length) > 1 for length in lengths]
    nothing = np.zeros(0, np.int64)
    return Features(ids, [s.astype(np.int64) for s in segments], nothing, nothing, max_seq_length=6)


def test_a_rectangle_is_padded_with_zeros(given: Features):
    ids, mask, segments = given.rectangle(np.array([0, 3]), 5)
    assert ids.tolist() == [[10, 11, 12, 0, 0], [40, 41, 42, 43, 0]]
    assert mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]
    assert segments.tolist() == [[0, 0, 1, 0, 0], [0, 0, 1, 1, 0]]


def test_at_real_lengths_nothing_is_padded(given: Features):
    batches = given.batches("real")
    assert [ids.shape for ids, _, _ in batches] == [(1, 5), (1, 4), (2, 3)]
    assert all(mask.all() for _, mask, _ in batches)


def test_padded_batches_have_the_greatest_length(given: Features):
    assert [ids.shape for ids, _, _ in given.batches("padded")] == [(4, 6)]


def test_single_requests_go_one_by_one(given: Features):
    assert [ids.shape for ids, _, _ in given.batches("single")] == [(1, 5), (1, 4), (1, 3), (1, 3)]


def test_checked_logits_leave_out_those_of_padding(given: Features):
    def token_and_double(batch):
        ids = batch[0].astype(float)
        return ids, 2 * ids

    expected = [10, 11, 12, 20, 22, 24]
    assert given.checked(True, token_and_double)[:6] == expected
    assert given.checked(True, token_and_double) == given.checked(False, token_and_double)


def test_a_features_file_is_read_as_it_was_written(tmp_path: Path):
    np.savez(
        tmp_path / "features.npz",
        input_ids=np.arange(5),
        segments=np.array([0, 1, 0, 0, 1]),
        starts=np.array([0, 2, 5]),
        start_positions=np.array([1, 2]),
        end_positions=np.array([1, 2]),
        max_seq_length=8,
    )
    features = Features.read(tmp_path / "features.npz")
    assert [ids.tolist() for ids in features.input_ids] == [[0, 1], [2, 3, 4]]
    assert [ids.tolist() for ids in features.segments] == [[0, 1], [0, 0, 1]]
    assert features.max_seq_length == 8


class Program:
    """Three features in 20 ms."""

    def run(self) -> int:
        time.sleep(0.02)
        return 3


def test_a_turn_is_all_of_the_work_once():
    turn = timed(Program(), 0.0)
    assert turn["features"] == 3
    assert 0.02 <= turn["seconds"] < 0.2


def test_a_turn_takes_its_least_time_in_whole_runs():
    turn = timed(Program(), 0.1)
    assert turn["seconds"] >= 0.1
    assert turn["features"] % 3 == 0
    assert 3 < turn["features"] <= 15


PROGRAM = """
import protocol
class Program:
    def check(self): return [1.0]
    def run(self): return 1.0
protocol.serve(lambda args: Program())
"""
PARENT = """
import subprocess, sys
side = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
side.stdout.readline()  # it is ready
print(side.pid, flush=True)
side.wait()
"""


def test_a_stopped_program_ends_with_a_parent_that_is_killed():
    options = [
        "--variant",
        "a",
        "--precision",
        "fp32",
        "--form",
        "padded",
        "--threads",
        "1",
        "--input",
        "nothing",
    ]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, sys.executable, "-c", PROGRAM, *options],
        env=os.environ | {"PYTHONPATH": str(Path(protocol.__file__).parent)},
        stdout=subprocess.PIPE,
        text=True,
    )
    stopped = psutil.Process(int(parent.stdout.readline()))
    stopped.suspend()
    parent.kill()
    parent.wait()
    end = time.monotonic() + 10
    while (alive := is_alive(stopped)) and time.monotonic() < end:
        time.sleep(0.05)
    if alive:
        stopped.kill()
    assert not alive


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
