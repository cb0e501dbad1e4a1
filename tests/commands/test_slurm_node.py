"""scripts/slurm_node.sh outside of Slurm, with a stand-in for Snakemake that notes its calls."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from processes import wait_for

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/slurm_node.sh"
STAND_IN = """\
#!/bin/bash
echo "$*" >> calls
trap 'echo interrupted >> calls; exit 130' INT
[ "$1" = --unlock ] && exit 0
[ -e quick ] && exit 3
for _ in $(seq 300); do sleep 0.1; done
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/snakemake").write_text(STAND_IN)
    (tmp_path / "bin/snakemake").chmod(0o755)
    return tmp_path


def start(folder, **environment):
    names = ("POD_NAME", "SLURM_RESTART_COUNT", "PBS_O_WORKDIR")
    own = {key: value for key, value in os.environ.items() if key not in names}
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        ["bash", SCRIPT, "all", "--configfile", "my.yaml"],
        cwd=folder,
        env=own | {"PATH": path} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def calls(folder):
    path = folder / "calls"
    return path.read_text().splitlines() if path.exists() else []


RUN = "--workflow-profile profiles/slurm-node all --configfile my.yaml"


def test_it_runs_snakemake_and_ends_with_its_status(folder):
    (folder / "quick").touch()
    process = start(folder)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "ended with status 3" in said
    assert calls(folder) == [RUN]


@pytest.mark.parametrize("environment", [{"POD_NAME": "pod-2"}, {"SLURM_RESTART_COUNT": "1"}])
def test_what_was_killed_before_has_left_a_lock_which_is_taken_away(folder, environment):
    (folder / "quick").touch()
    start(folder, **environment).communicate(timeout=60)
    assert calls(folder) == ["--unlock all --configfile my.yaml", RUN]


def test_asked_to_end_it_interrupts_snakemake_and_waits_for_it(folder):
    process = start(folder, POD_NAME="pod-1")
    wait_for(lambda: RUN in calls(folder))
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert "asked to end: stopping" in said
    assert calls(folder)[-1] == "interrupted"
