"""Real services: a Docker engine, images, Apptainer. Everything here is marked `services`.

What cannot be had on this machine is skipped with the reason; nothing is simulated.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

from project import ROOT, Project
from services import engine
from services.slurm import Slurm, own_slurm
from services.small_run import RUN, small_project

HERE = Path(__file__).resolve().parent
IMAGE = "bertsquad-test"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.services)
    # What takes no engine and no image first: they are being made meanwhile.
    items.sort(key=lambda item: takes(item, "docker_engine") + takes(item, "image"))


def takes(item: pytest.Item, fixture: str) -> bool:
    return fixture in getattr(item, "fixturenames", ())


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


@dataclass(frozen=True)
class Making:
    """Images that are being made; a reason to skip is raised where a result is asked for."""

    base: Future[str]  # its name
    image: Future[None]


@pytest.fixture(scope="session", autouse=True)
def making(request: pytest.FixtureRequest) -> Iterator[Making | None]:
    """Begins before the first test: four minutes, in which the other tests have a core."""
    if not any(takes(item, "image") for item in request.session.items):
        yield None
        return
    try:
        client = request.getfixturevalue("docker_engine")
    except pytest.skip.Exception:  # the tests that need the engine will say why
        yield None
        return
    with ThreadPoolExecutor(1, "images") as one_after_the_other:
        base = one_after_the_other.submit(engine.make_base, client)
        yield Making(base, one_after_the_other.submit(lambda: build_image(base.result())))


def build_image(base: str) -> None:
    build = [sys.executable, "scripts/build_image.py", "--tag", IMAGE, "--base", base]
    # The engine of the tests has no network of its own.
    done = subprocess.run([*build, "--network", "host"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]


@pytest.fixture(scope="session")
def base_image(docker_engine: docker.DockerClient, making: Making | None) -> str:
    """The name of a Debian 12 image with Python 3.11 and bash, and nothing else."""
    return making.base.result() if making else engine.make_base(docker_engine)


@pytest.fixture(scope="session")
def image(
    docker_engine: docker.DockerClient, making: Making
) -> Iterator[docker.models.images.Image]:
    """The project's image, built from envs/Dockerfile; profiles/docker takes it."""
    making.image.result()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BERTSQUAD_DOCKER_IMAGE", IMAGE)
        yield docker_engine.images.get(IMAGE)


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """A Slurm of the tests' own; programs of this environment are found by its jobs."""
    with own_slurm() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        yield running


@pytest.fixture(scope="session")
def on_host(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small run on the host, up to its scores."""
    project = small_project(tmp_path_factory.mktemp("host") / "bertsquad")
    done = project.snakemake("accuracy", *RUN)
    assert done.returncode == 0, done.stdout + done.stderr
    return project
