"""The whole workflow through profiles/docker: the same files, and no trace when it ends."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from bertsquad.containers.clients import LABEL
from project import Project
from services.small_run import (
    CELL,
    MODEL,
    RUN,
    decided_otherwise,
    records,
    small_project,
    untimed_files,
)

PROFILE = ("--workflow-profile", "profiles/docker")
LOG = "results/logs/small/finetune.log"


@pytest.fixture(scope="module")
def in_docker(image, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small run, every step in a container."""
    project = small_project(tmp_path_factory.mktemp("docker") / "bertsquad")
    done = project.snakemake(*RUN, *PROFILE)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture
def untrained(in_docker: Project, tmp_path: Path) -> Project:
    """The small run without its model: the next job is its training."""
    folder = tmp_path / "bertsquad"
    shutil.copytree(in_docker.folder, folder)
    shutil.rmtree(folder / MODEL.rpartition("/")[0])
    (folder / LOG).unlink()
    return Project(folder)


def training(docker_engine, project: Project):
    """Start Snakemake; the process and the container in which it trains."""
    process = project.start(MODEL, *RUN, *PROFILE, own_session=True)
    log = project.folder / LOG
    while not (log.exists() and "steps of" in log.read_text()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process, containers(docker_engine, project)[0]


def containers(docker_engine, project: Project) -> list:
    label = f"bertsquad.folder={project.folder}"
    return docker_engine.containers.list(all=True, filters={"label": [LABEL, label]})


def test_files_are_those_of_the_host_byte_for_byte(on_host, in_docker):
    host, docker = untimed_files(on_host), untimed_files(in_docker)
    assert MODEL in host
    assert [name for name in host if host[name] != docker.get(name)] == []


def test_machine_cells_and_report_name_the_image(in_docker, image):
    results = in_docker.folder / "results"
    machine = json.loads((results / "machine.json").read_text())
    assert machine["container"]["engine"] == "docker"
    assert machine["container"]["image_id"] == image.id
    assert json.loads((in_docker.folder / CELL).read_text())["container"] == machine["container"]
    assert image.id in (results / "report.html").read_text()


def test_each_step_records_the_image_and_else_the_same_as_on_the_host(on_host, in_docker, image):
    found = records(in_docker)
    assert {name: record["container"]["image_id"] for name, record in found.items()} == (
        dict.fromkeys(found, image.id)
    )
    assert decided_otherwise(in_docker, on_host) == []
    made, on_the_host = (each["finetune/small"]["outputs"] for each in (found, records(on_host)))
    del made["small/training_log.jsonl"], on_the_host["small/training_log.jsonl"]  # times
    assert made == on_the_host


def test_going_from_containers_to_the_host_and_back_reruns_nothing(in_docker, on_host):
    assert in_docker.planned(*RUN) == {}
    assert on_host.planned("accuracy", *RUN, *PROFILE) == {}


def test_ctrl_c_leaves_no_container_and_the_next_run_makes_the_same_model(
    docker_engine, in_docker, untrained
):
    process, _ = training(docker_engine, untrained)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate()
    assert process.returncode != 0
    assert containers(docker_engine, untrained) == []
    assert not (untrained.folder / MODEL).exists()

    done = untrained.snakemake(MODEL, *RUN, *PROFILE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (untrained.folder / MODEL).read_bytes() == (in_docker.folder / MODEL).read_bytes()


def test_a_killed_container_fails_its_job_with_the_reason(docker_engine, untrained):
    process, container = training(docker_engine, untrained)
    container.kill()
    _, messages = process.communicate()
    assert process.returncode == 1
    assert "the container was ended from outside by SIGKILL" in messages
    assert not (untrained.folder / MODEL).exists()
    assert containers(docker_engine, untrained) == []


def test_a_starved_container_fails_its_job_with_the_reason(docker_engine, untrained, monkeypatch):
    monkeypatch.setenv("BERTSQUAD_DOCKER_MEMORY", "200m")
    done = untrained.snakemake(MODEL, *RUN, *PROFILE)
    assert done.returncode == 1
    assert "out of memory: the container may use 200 MiB" in done.stderr
    assert containers(docker_engine, untrained) == []
