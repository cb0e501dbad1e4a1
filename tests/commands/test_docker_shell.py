"""scripts/docker_shell.py without an engine; tests/services runs it on one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = ROOT / "scripts/docker_shell.py"


def docker_shell(*arguments: str, cwd: Path = ROOT, **variables: str):
    environment = os.environ | {"DOCKER_HOST": "unix:///nowhere/docker.sock"} | variables
    return subprocess.run(
        [sys.executable, str(COMMAND), *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
    )


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "no Docker engine answers at unix:///nowhere/docker.sock"),
        ({"BERTSQUAD_DOCKER_MEMORY": "lots"}, "BERTSQUAD_DOCKER_MEMORY: found 'lots'; expected"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(variables, message):
    done = docker_shell("-c", "true", **variables)
    assert done.returncode == 2
    assert done.stderr.startswith(f"docker_shell.py: error: {message}")
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_of_the_system_is_no_place_to_work():
    done = docker_shell("-c", "true", cwd=Path("/usr"))
    assert done.returncode == 2
    assert "work in another folder" in done.stderr


def test_snakemake_can_call_it():
    assert os.access(COMMAND, os.X_OK)
    assert COMMAND.read_text().startswith("#!/usr/bin/env python3\n")
