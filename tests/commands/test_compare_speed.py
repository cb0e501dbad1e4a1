"""compare_speed.py, take_turns.py, noise.py and show_comparisons.py on a tiny model."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bertsquad.benchmark import turns
from bertsquad.benchmark.comparing import Rules
from bertsquad.benchmark.pairs import compare_commands
from engines.small_run import write_features, write_finetuned

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("run")
    write_features(folder / "features", write_finetuned(folder), [5, 33, 6, 20, 11, 12])
    return (
        f"--engine torch --precision fp32 --threads 1 --model {folder}/model "
        f"--features {folder}/features --count 6"
    )


def command(script: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(ROOT / f"scripts/{script}.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def compare(options: str, b: str, output: Path, *more: str) -> subprocess.CompletedProcess:
    arguments = ["--name", "x", "--a", options, "--b", b, "--turn-seconds", "0.01"]
    arguments += ["--quiet-seconds", "0"]
    return command("compare_speed", *arguments, "--looks", "8", "--output", str(output), *more)


def test_a_comparison_is_a_file_with_every_round_and_a_sentence(options, tmp_path):
    b = f"{options} --batch-size 2"
    done = compare(options, b, tmp_path / "x.json", "--metric", "p99")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("x: ")
    found = json.loads((tmp_path / "x.json").read_text())
    assert found["verdict"] in ("faster", "slower", "same", "cannot tell", None)
    assert (found["verdict"] is None) == (found["rounds_disturbed"] > 8)
    assert len(found["rounds"]) == found["rounds_used"] + found["rounds_disturbed"]
    turns = [one["pairs"][0]["a"] for one in found["rounds"]]
    assert {"noise", "validity", "activity", "seconds"} <= turns[0].keys()
    assert found["b"]["batch_size"] == "2"
    assert all(turn["requests"] >= 368 for turn in turns)  # a p99 takes so many
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    shown = command(
        "show_comparisons", "--comparisons", f"{tmp_path}/x.json", "--table", f"{tmp_path}/t.csv"
    )
    assert "noise floor of this machine: not measured" in shown.stdout
    assert (tmp_path / "t.csv").read_text().count("\n") == 2


def test_a_slow_down_of_half_is_found_whatever_else_runs(options, tmp_path, monkeypatch):
    monkeypatch.setattr(turns, "validity", lambda noise: {"verdict": "valid", "reasons": []})
    side = [sys.executable, str(ROOT / "scripts/take_turns.py"), *options.split()]
    side += ["--turn-seconds", "0.05"]
    commands = {"a": side, "b": [*side, "--slow-down", "0.5"]}
    # Several turns a round: what else runs falls on both sides.
    rules = Rules(looks=(8,), seconds=0.4)
    found = compare_commands("x", commands, dict.fromkeys("ab", os.environ), rules, tmp_path)
    assert found["verdict"] == "faster"
    assert found["ratio"]["value"] > 1.2


def test_a_side_that_cannot_start_ends_it_in_one_line_without_a_file(options, tmp_path):
    done = compare(options, options.replace("torch", "tensorrt"), tmp_path / "x.json")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("compare_speed.py: error: x, side b: ended")
    assert "tensorrt" in done.stderr
    assert not (tmp_path / "x.json").exists()


def test_fewer_than_8_rounds_are_refused(options, tmp_path):
    done = command(
        "compare_speed", "--name", "x", "--a", "", "--b", "", "--looks", "7", "--output", "x"
    )
    assert done.returncode == 2
    assert "7 rounds cannot decide; expected 8 or more" in done.stderr


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--same-within", "-3"], "-3 is not 0 or more"),
        (["--same-within", "nan"], "nan is not 0 or more"),
        (["--turn-seconds", "inf"], "inf is not a number above 0"),
        (["--b", "--slow-down much"], "--slow-down: found 'much', expected a share from 0"),
    ],
)
def test_numbers_that_mean_nothing_are_one_line(tmp_path, more, message):
    done = command(
        "compare_speed", *("--name", "x", "--a", "", "--b", ""), *more, "--output", f"{tmp_path}/x"
    )
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


PARENT = """
import subprocess, sys
side = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
print(side.stderr.readline().strip(), flush=True)
print(side.pid, flush=True)
side.wait()
"""


def test_a_stopped_side_ends_with_a_parent_that_is_killed(tmp_path):
    os.mkfifo(tmp_path / "features")  # it waits there for ever
    side = [sys.executable, str(ROOT / "scripts/take_turns.py"), "--engine", "torch"]
    side += ["--precision", "fp32", "--threads", "1", "--model", str(tmp_path)]
    side += ["--features", str(tmp_path / "features")]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *side], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout.readline().startswith("1 thread")  # it has begun
    stopped = psutil.Process(int(parent.stdout.readline()))
    stopped.suspend()
    wait_for(lambda: stopped.status() == psutil.STATUS_STOPPED)
    parent.kill()
    parent.wait()
    try:
        wait_for(lambda: gone(stopped), 10.0)
    finally:
        if not gone(stopped):
            stopped.kill()


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_command_line_side_runs_once_a_line(options):
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/take_turns.py"), *options.split(), "--turn-seconds=0"],
        input="run\nrun\n",
        capture_output=True,
        text=True,
        check=True,
    )
    ready, *answers = map(json.loads, done.stdout.splitlines())
    assert (ready["features"], ready["threads"]) == (6, 1)
    assert [answer["features"] for answer in answers] == [6, 6]


@pytest.mark.slow
def test_the_noise_floor_is_a_line_and_a_file(tmp_path):
    done = command(
        "noise", "--threads", "1", "--turn-seconds", "0.01", "--rounds", "3",
        "--quiet-seconds", "0", "--output", str(tmp_path / "noise.json"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("noise floor of this machine: ")
    found = json.loads((tmp_path / "noise.json").read_text())
    assert (found["sees"] is None) == (found["verdict"] is None)
    assert found["sees"] is None or list(found["sees"]) == ["8", "16", "32"]


def test_asked_to_end_it_ends_both_sides_also_the_one_that_is_stopped(options, tmp_path):
    arguments = ["--name", "x", "--a", options, "--b", options, "--turn-seconds", "60"]
    arguments += ["--quiet-seconds", "0", "--output", str(tmp_path / "x.json")]
    script = str(ROOT / "scripts/compare_speed.py")
    process = subprocess.Popen([sys.executable, script, *arguments], stderr=subprocess.DEVNULL)
    parent = psutil.Process(process.pid)
    wait_for(lambda: len(parent.children()) == 2)
    sides = parent.children()
    process.terminate()
    assert process.wait(timeout=60) == 143
    assert not any(side.is_running() for side in sides)


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
