"""Real services: a Docker engine, images, Apptainer. Everything here is marked `services`.

What cannot be had on this machine is skipped with the reason; nothing is simulated.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from project import ROOT, Project
from services import engine
from services.small_run import RUN, small_project

HERE = Path(__file__).resolve().parent
IMAGE = "bertsquad-test"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.services)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[docker.DockerClient]:
    """A Docker engine; DOCKER_HOST leads to it. One that runs already is used and left running."""
    running = engine.running_engine()
    if running:
        yield running
        running.close()
        return
    with engine.own_engine() as (client, address), pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", address)
        yield client


@pytest.fixture(scope="session")
def base_image(docker_engine: docker.DockerClient) -> str:
    """The name of a Debian 12 image with Python 3.11 and bash, and nothing else."""
    return engine.make_base(docker_engine)


@pytest.fixture(scope="session")
def image(
    docker_engine: docker.DockerClient, base_image: str
) -> Iterator[docker.models.images.Image]:
    """The project's image, built from envs/Dockerfile; profiles/docker takes it."""
    build = [sys.executable, "scripts/build_image.py", "--tag", IMAGE, "--base", base_image]
    # The engine of the tests has no network of its own.
    done = subprocess.run([*build, "--network", "host"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BERTSQUAD_DOCKER_IMAGE", IMAGE)
        yield docker_engine.images.get(IMAGE)


@pytest.fixture(scope="session")
def on_host(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small run on the host, up to its scores."""
    project = small_project(tmp_path_factory.mktemp("host") / "bertsquad")
    done = project.snakemake("accuracy", *RUN)
    assert done.returncode == 0, done.stdout + done.stderr
    return project
