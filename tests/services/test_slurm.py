"""The workflow on a real Slurm: by profiles/slurm, and in one allocation by slurm_node.sh."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from project import ROOT
from services.slurm import run
from services.slurm_project import CONFIG, PROFILE, SITE, project_for_slurm, trained, wait_for
from services.small_run import CELL, RUN, decided_otherwise, records, small_project, untimed_files


@pytest.fixture(scope="module", autouse=True)
def without_progress(slurm, tmp_path_factory) -> Iterator[tuple[subprocess.Popen, Path]]:
    """One allocation whose Snakemake makes nothing; the signal of the time limit comes at once.
    Slurm looks at time limits every 30 seconds, so it is waited for beside the other tests."""
    project = small_project(tmp_path_factory.mktemp("without_progress") / "bertsquad")
    (project.folder / "bin").mkdir()
    waiting = project.folder / "bin/snakemake"
    waiting.write_text("#!/bin/sh\nexec sleep 300\n")
    waiting.chmod(0o755)
    out = project.folder.parent / "out"
    before = set(slurm.jobs("%i"))
    with subprocess.Popen(
        [
            *("sbatch", "--wait", "--chdir", project.folder, "--time=2", "--signal=B:USR1@115"),
            *("--output", out, ROOT / "scripts/slurm_node.sh"),
        ],
        env=os.environ | {"PATH": f"{project.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as driver:
        wait_for(lambda: set(slurm.jobs("%i")) > before, 60)
        [job] = set(slurm.jobs("%i")) - before
        yield driver, out
        if driver.poll() is None:  # the test that awaits it was not chosen, or failed
            subprocess.run(["scancel", job], capture_output=True, check=False)
            slurm.wait(job, 60)
            driver.kill()


def test_files_are_those_of_a_local_run_byte_for_byte(slurm, on_host, tmp_path):
    project = project_for_slurm(tmp_path / "bertsquad")
    done = project.snakemake("accuracy", "results/machine.json", *CONFIG, *PROFILE)
    assert done.returncode == 0, done.stdout + done.stderr
    host, here = untimed_files(on_host), untimed_files(project)
    assert [name for name in host if host[name] != here.get(name)] == []
    machine = json.loads((project.folder / "results/machine.json").read_text())
    assert machine["node"] in ("n1", "n2", "n3")
    assert machine["job"].isdecimal()
    assert len(machine["allowed_cpus"]) == min(2, os.cpu_count() or 1)  # all that the node has
    assert records(project)["finetune/small"]["job"].isdecimal()
    assert decided_otherwise(project, on_host) == []
    assert project.planned("accuracy", *RUN) == {}  # and nothing is made again on the host


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"set-resources": {"predict": {"runtime": 5}}},
            "asks for a whole node, and the profile does not say how",
        ),
        (
            {"default-resources": SITE | {"slurm_partition": "half"}},
            "=2, and partition half has 1 processors a node",
        ),
        ({"default-resources": SITE | {"runtime": 9000}}, "asks for runtime=9000, and partition"),
        ({"slurm-status-command": "sacct"}, "is sacct, and this Slurm keeps no accounts"),
    ],
    ids=["whole nodes", "processors", "time", "accounts"],
)
def test_what_would_wait_for_ever_is_refused_before_the_first_job(slurm, tmp_path, changes, said):
    project = project_for_slurm(tmp_path / "bertsquad", **changes)
    before = set(slurm.jobs("%i"))
    done = project.snakemake("accuracy", *CONFIG, *PROFILE)
    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if line.startswith("bertsquad: error")]
    assert said in line
    assert "Traceback" not in done.stderr
    assert set(slurm.jobs("%i")) <= before


def test_speed_of_no_named_kind_is_refused_before_the_first_job(slurm, tmp_path):
    project = project_for_slurm(tmp_path / "bertsquad")
    before = set(slurm.jobs("%i"))
    done = project.snakemake("speed", *CONFIG, *PROFILE)
    assert done.returncode == 2
    [line] = [line for line in done.stderr.splitlines() if line.startswith("bertsquad: error")]
    assert "sbatch scripts/slurm_node.sh speed" in line
    assert set(slurm.jobs("%i")) <= before


def test_one_allocation_measures_on_a_whole_node_of_either_kind(slurm, on_host, tmp_path):
    jobs = {}
    for partition in ("cpu", "half"):
        project = trained(on_host, tmp_path / partition)
        assert not (project.folder / "results/machine.json").exists()
        jobs[partition] = run(
            *("sbatch", "--parsable", "--chdir", str(project.folder), f"--partition={partition}"),
            *("--time=20", "--output", str(tmp_path / f"{partition}.out")),
            str(ROOT / "scripts/slurm_node.sh"),
            *("results/machine.json", CELL, *CONFIG),
        ).strip()
    for partition, nodes, processors in (("cpu", {"n1", "n2", "n3"}, 2), ("half", {"n4"}, 1)):
        state = slurm.wait(jobs[partition], 400)
        said = (tmp_path / f"{partition}.out").read_text()
        assert state == "COMPLETED", said
        assert "ended with status 0" in said
        cell = json.loads((tmp_path / partition / CELL).read_text())
        machine = json.loads((tmp_path / partition / "results/machine.json").read_text())
        assert cell["job"] == machine["job"] == jobs[partition]
        assert cell["node"] == machine["node"]
        assert cell["node"] in nodes
        assert len(machine["allowed_cpus"]) == min(processors, os.cpu_count() or 1)


def test_an_allocation_that_brings_nothing_new_is_not_queued_again(without_progress):
    driver, out = without_progress
    driver.communicate(timeout=120)
    said = out.read_text()
    assert driver.returncode == 1, said
    assert "error: nothing new was made since" in said
