"""What a run is doing, told while it runs: by the main process, and by `bertsquad watch`."""

import json
import os
import subprocess
import sys
import time
from collections import Counter

from bertsquad.console.watching import (
    Job,
    Run,
    begin,
    last_line,
    read_state,
    write_state,
)
from project import ROOT

TRAINING = "training: 655 of 1712 steps (38 %), 13.0/s, 1 min 21 s left; loss 0.406"


def job(rule, name, log=""):
    return Job(rule, f"{rule} {name}", str(log))


def test_a_running_job_is_told_with_what_its_log_ends_with(tmp_path):
    log = tmp_path / "finetune.log"
    log.write_text(f"20026 features, 1712 steps of 16\n{TRAINING}\n")
    run = Run({"finetune": 1, "all": 1}, started=100.0)
    run.see([job("finetune", "demo-fp32", log)], Counter(), now=101.0)
    assert run.lines(now=161.0) == [
        "0 of 2 steps done after 1 min 1 s",
        f"- finetune demo-fp32, for 1 min: {TRAINING}",
    ]


def test_what_is_left_of_many_alike_follows_from_those_that_are_done():
    run = Run({"benchmark_inference": 30, "report": 1}, started=0.0)
    run.see([job("benchmark_inference", "a")], Counter(), now=10.0)
    run.see([job("benchmark_inference", "b")], Counter(benchmark_inference=1), now=20.0)
    assert run.lines(now=24.0) == [
        "1 of 31 steps done after 24 s; benchmark_inference 1 of 30, about 4 min 46 s left",
        "- benchmark_inference b, for 4 s",
    ]


def test_before_one_is_done_nothing_is_guessed():
    run = Run({"predict": 15}, started=0.0)
    run.see([job("predict", "a")], Counter(), now=1.0)
    assert run.lines(now=2.0)[0] == "0 of 15 steps done after 2 s; predict 0 of 15"


def test_nothing_is_told_between_jobs():
    assert Run({"all": 1}, started=0.0).lines(now=9.0) == []


def test_of_hundreds_of_jobs_the_oldest_are_told():
    run = Run({"predict": 100}, started=0.0)
    for number in range(20):
        run.see([job("predict", f"{n:02}") for n in range(number + 1)], Counter(), number)
    lines = run.lines(now=20.0)
    assert lines[1] == "- predict 00, for 20 s"
    assert lines[-1] == "- and 12 more jobs"
    assert len(lines) == 10


def test_the_last_line_of_a_log_cannot_rewrite_the_terminal(tmp_path):
    log = tmp_path / "x.log"
    log.write_bytes(b"x" * 9000 + b"\nbar 1\rbar 2\x1b[2J\n\n")
    assert "\x1b" not in last_line(log)
    assert last_line(log).startswith("bar 2")
    assert last_line(tmp_path / "none.log") == ""


def test_a_thread_tells_on_the_terminal_and_writes_the_state(tmp_path, capfd):
    state = tmp_path / "running.json"
    calls = []

    def look():
        calls.append(1)
        if len(calls) > 40:
            raise ValueError("enough")
        return [job("finetune", "demo")], Counter()

    begin({"finetune": 1}, look, state, tell_every_s=0.02).join(timeout=30)
    said = capfd.readouterr().err.splitlines()
    assert "bertsquad: 0 of 1 steps done after 0 s" in said
    assert "bertsquad: - finetune demo, for 0 s" in said
    assert "progress is not shown any more (ValueError('enough'))" in said[-1]
    assert json.loads(state.read_text())["process"] == os.getpid()
    assert read_state(state, time.time())[1].startswith("- finetune demo, for")


def test_a_state_that_an_ended_run_left_is_no_run(tmp_path):
    state = tmp_path / "running.json"
    run = Run({"finetune": 1}, started=0.0)
    run.see([job("finetune", "demo")], Counter(), now=0.0)
    write_state(state, run.state(now=1000.0))
    assert read_state(state, now=1010.0) != []
    assert read_state(state, now=1100.0) == []  # of a host that nobody can ask
    ended = subprocess.Popen(["true"])
    ended.wait()
    write_state(state, run.state(now=1000.0) | {"process": ended.pid})
    assert read_state(state, now=1010.0) == []
    state.write_text("{")
    assert read_state(state, now=1010.0) == []


def watch(folder):
    command = [sys.executable, ROOT / "scripts/watch.py", "--folder", folder, "--once"]
    return subprocess.run(command, capture_output=True, text=True)


def test_watch_tells_the_same_from_another_terminal(tmp_path):
    assert watch(tmp_path).returncode == 2
    assert "no run is going on in this folder" in watch(tmp_path).stderr
    run = Run({"finetune": 1}, started=time.time())
    run.see([job("finetune", "demo")], Counter(), time.time())
    write_state(tmp_path / ".snakemake/bertsquad/running.json", run.state(time.time()))
    done = watch(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "- finetune demo, for 0 s" in done.stdout
