"""compute_logits_shard.py and join_logits.py make the file of compute_logits.py, byte for byte."""

import subprocess
import sys

import pytest

from engines.small_run import write_features, write_finetuned

OPTIONS = {"engine": "torch", "precision": "fp32", "threads": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    # More than 2 batches of 1,024 tokens.
    write_features(folder / "features", write_finetuned(folder), [5, 33, 6, 20, 33] * 20)
    return folder


def run(root, script, *words):
    command = [sys.executable, f"scripts/{script}", *map(str, words)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def compute(root, folder, script, output, *more):
    options = OPTIONS | {"model": folder / "model", "features": folder / "features"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return run(root, script, *words, "--output", output, *more)


def test_parts_joined_are_the_file_of_all(pytestconfig, folder):
    root = pytestconfig.rootpath
    done = compute(root, folder, "compute_logits.py", folder / "whole")
    assert done.returncode == 0, done.stderr
    parts = [folder / f"{number}-of-2" for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        which = ("--shard", number, "--shards", 2)
        done = compute(root, folder, "compute_logits_shard.py", part, *which)
        assert done.returncode == 0, done.stderr
        assert f"logits, shard {number} of 2: " in done.stderr
    done = run(root, "join_logits.py", "--output", folder / "joined", "--parts", *parts)
    assert done.returncode == 0, done.stderr
    assert (folder / "joined").read_bytes() == (folder / "whole").read_bytes()


def test_a_part_that_is_not_there_is_refused(pytestconfig, folder, tmp_path):
    which = ("--shard", 3, "--shards", 2)
    done = compute(
        pytestconfig.rootpath, folder, "compute_logits_shard.py", tmp_path / "part", *which
    )
    assert done.returncode == 2
    assert "--shard is 3; expected 1 to 2" in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
