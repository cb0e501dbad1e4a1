"""The whole workflow through profiles/apptainer: the same image as a file, the same results."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bertsquad.containers.environment import for_apptainer
from project import ROOT, Project
from services.apptainer import apptainer_command
from services.small_run import RUN, decided_otherwise, records, small_project, untimed_files

PROFILE = ("--workflow-profile", "profiles/apptainer")
MACHINE = "results/machine.json"


@pytest.fixture(scope="module")
def apptainer() -> Iterator[None]:
    """The command `apptainer` on PATH."""
    with apptainer_command() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", folder, prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def sif(apptainer, image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's image as a file."""
    path = tmp_path_factory.mktemp("sif") / "bertsquad.sif"
    command = [sys.executable, "scripts/build_sif.py", "--tag", image.tags[0], "--output", path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


@pytest.fixture(scope="module")
def in_apptainer(sif: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small run, up to its scores, every step in the image."""
    project = small_project(tmp_path_factory.mktemp("apptainer") / "bertsquad")
    (project.folder / "envs").mkdir()
    (project.folder / "envs/bertsquad.sif").symlink_to(sif)
    done = project.snakemake("accuracy", MACHINE, *RUN, *PROFILE)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


def test_files_are_those_of_the_host_byte_for_byte(on_host, in_apptainer):
    host, apptainer = untimed_files(on_host), untimed_files(in_apptainer)
    assert [name for name in host if host[name] != apptainer.get(name)] == []


def test_each_step_records_the_image_and_else_the_same_as_on_the_host(on_host, in_apptainer, sif):
    container = records(in_apptainer)["finetune/small"]["container"]
    assert container["image_sha256"] == hashlib.sha256(sif.read_bytes()).hexdigest()
    assert decided_otherwise(in_apptainer, on_host) == []


def test_the_machine_names_the_image(in_apptainer, sif, image):
    container = json.loads((in_apptainer.folder / MACHINE).read_text())["container"]
    assert container["engine"] == "apptainer"
    assert container["image_sha256"] == hashlib.sha256(sif.read_bytes()).hexdigest()
    assert container["revision"] == image.labels["org.opencontainers.image.revision"]


def test_going_to_the_host_and_back_reruns_nothing(in_apptainer):
    assert in_apptainer.planned("accuracy", MACHINE, *RUN) == {}
    assert in_apptainer.planned("accuracy", MACHINE, *RUN, *PROFILE) == {}


def test_secrets_stay_outside_and_the_number_of_threads_goes_in(apptainer, sif):
    profile = yaml.safe_load((ROOT / "profiles/apptainer/config.yaml").read_text(encoding="utf-8"))
    host = {**os.environ, "OMP_NUM_THREADS": "3", "SLURM_JWT": "secret", "MY_TOKEN": "secret"}
    done = subprocess.run(
        ["apptainer", "exec", *profile["apptainer-args"].split(), sif, "env"],
        env=host | for_apptainer(host),
        capture_output=True,
        text=True,
        check=True,
    )
    inside = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert inside["OMP_NUM_THREADS"] == "3"
    assert not {"SLURM_JWT", "MY_TOKEN"} & inside.keys()
