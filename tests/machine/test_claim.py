"""One process computes; a second one waits for it and takes over what it has made."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bertsquad.machine import claim
from bertsquad.machine.claim import Claim, expect, this_process

ROOT = Path(__file__).resolve().parents[2]
FACTS = '{"seed": 0}'


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(claim, "_LOOK_EVERY_S", 0.01)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)


class Claimant:
    """Another process, see claimant.py."""

    def __init__(self, folder, output, text, facts=FACTS, job=None):
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests/machine/claimant.py", folder, output, text, facts],
            env=environment | ({"SLURM_JOB_ID": job} if job else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(self):
        return self.process.stdout.readline().strip()

    def end(self, word):
        rest, _ = self.process.communicate(f"{word}\n", timeout=60)
        return rest.split("\n")


def test_one_process_alone_has_it_at_once_and_leaves_nothing(tmp_path):
    folder = tmp_path / "state"
    with Claim(folder, [tmp_path / "made"]) as mine:
        assert mine.take(pytest.fail, dict) is False
        written = json.loads((folder / "lock").read_text())
        assert written["pid"] == os.getpid()
        assert written["job"] is None
        mine.finish({})
    assert list(tmp_path.iterdir()) == []


def test_a_second_one_waits_and_takes_over_what_the_first_has_made(tmp_path):
    folder, output = tmp_path / "state", tmp_path / "model/weights"
    first = Claimant(folder, output, "first")
    assert first.said() == "taken"
    second = Claimant(folder, output, "second")
    assert f"process {first.process.pid} on " in second.said()
    first.end("finish")
    assert "taken over" in second.said()
    assert second.said() == "joined"
    second.end("")
    assert output.read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_what_is_taken_over_outlasts_a_snakemake_that_removes_outputs(tmp_path):
    folder, output = tmp_path / "state", tmp_path / "weights"
    first = Claimant(folder, output, "first", job="37")
    assert first.said() == "taken"
    expect(folder, ["37"])  # by the next Snakemake, whose job waits in the queue
    first.end("finish")
    output.unlink()
    second = Claimant(folder, output, "second")
    assert second.said() == "done by a job of an earlier run; taken over"
    second.end("")
    assert output.read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["weights"]


@pytest.mark.parametrize("end", ["fail", "kill"])
def test_where_the_first_ends_without_the_second_goes_on(tmp_path, end):
    folder, output = tmp_path / "state", tmp_path / "weights"
    first = Claimant(folder, output, "first")
    assert first.said() == "taken"
    second = Claimant(folder, output, "second")
    assert "waiting for it" in second.said()
    first.process.kill() if end == "kill" else first.end("fail")
    assert "has ended without finishing this: going on" in second.said()
    assert second.said() == "taken"
    second.end("finish")
    assert output.read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["weights"]


def test_what_is_made_of_other_facts_is_made_anew(tmp_path):
    folder, output = tmp_path / "state", tmp_path / "weights"
    first = Claimant(folder, output, "first")
    assert first.said() == "taken"
    second = Claimant(folder, output, "second", facts='{"seed": 1}')
    assert "waiting for it" in second.said()
    first.end("finish")
    assert "going on" in second.said()
    assert second.said() == "taken"
    second.end("finish")
    assert output.read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["weights"]


# A holder on another host, whose lock cannot be seen


def holder_elsewhere(folder, **changes):
    folder.mkdir()
    values = {"host": "n1", "boot": "another", "pid": 7, "job": None} | changes
    holder = replace(this_process(), **values)
    (folder / "lock").write_text(json.dumps(asdict(holder)))
    return holder


def squeue(folder, script):
    folder.mkdir(exist_ok=True)
    (folder / "squeue").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "squeue").chmod(0o755)
    return str(folder)


def take_meanwhile(mine, said):
    """The claim's `take` in a thread, which ends with it."""
    thread = threading.Thread(target=mine.take, args=(said.append, dict), daemon=True)
    thread.start()
    return thread


def test_elsewhere_it_is_waited_for_as_long_as_it_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no Slurm
    folder, said = tmp_path / "state", []
    holder = holder_elsewhere(folder)
    mine = Claim(folder, [], beat_s=0.05)  # lost after half a second
    taking = take_meanwhile(mine, said)
    for beat in range(1, 11):
        time.sleep(0.1)
        with (folder / "lock").open("r+") as lock:  # never empty, as the holder writes it
            lock.write(json.dumps(asdict(replace(holder, beat=beat))))
        assert taking.is_alive()
    taking.join(10)
    assert not taking.is_alive()
    mine.release()
    assert said[0].startswith("process 7 on n1 (host n1) computes this since ")
    assert said[1] == "process 7 on n1 has ended without finishing this: going on"
    assert len(said) == 2


def test_elsewhere_a_job_is_asked_for_at_slurm(tmp_path, monkeypatch):
    monkeypatch.setattr(claim, "_ASK_SLURM_EVERY_S", 0.05)
    monkeypatch.setenv("PATH", squeue(tmp_path / "bin", f'cat "{tmp_path}/answer"'))
    (tmp_path / "answer").write_text("RUNNING\n")
    monkeypatch.setenv("PATH", os.environ["PATH"] + ":/bin:/usr/bin")
    folder, said = tmp_path / "state", []
    holder_elsewhere(folder, job="12")
    mine = Claim(folder, [], beat_s=60)
    taking = take_meanwhile(mine, said)
    time.sleep(0.5)
    assert taking.is_alive()
    (tmp_path / "answer").write_text("NODE_FAIL\n")
    taking.join(10)
    assert not taking.is_alive()
    mine.release()
    assert said[0].startswith("job 12 (host n1) computes this since ")
    assert said[1] == "job 12 has ended without finishing this: going on"


def test_an_earlier_start_of_the_same_job_is_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    holder_elsewhere(tmp_path / "state", job="12")
    with Claim(tmp_path / "state", []) as mine:
        assert mine.take(pytest.fail, dict) is False
    assert not (tmp_path / "state").exists()


def test_a_job_that_shares_the_work_is_not_waited_for(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    leader = Claimant(folder, tmp_path / "weights", "made", job="12")
    assert leader.said() == "taken"
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    with Claim(folder, [], team=True) as other:
        assert other.take(pytest.fail, dict) is False
    leader.end("finish")
    assert [path.name for path in tmp_path.iterdir()] == ["weights"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": "n1"}'])
def test_a_lock_file_that_names_nobody_holds_nobody_up(tmp_path, content):
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "lock").write_text(content)
    with Claim(folder, []) as mine:
        assert mine.take(pytest.fail, dict) is False
