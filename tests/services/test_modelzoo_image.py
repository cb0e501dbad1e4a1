"""The Model Zoo's steps in an image: one that holds the stand-in for the launcher."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelzoo import stand_in

IMAGE = "bertsquad-test-stand-in-for-the-modelzoo:latest"
DOCKERFILE = "FROM {base}\nCOPY models /opt/stand_in_models\n"


@pytest.fixture(scope="module")
def image(docker_engine, base_image, tmp_path_factory) -> Iterator[str]:
    """An image with the stand-in and what it leaves as trained."""
    context = tmp_path_factory.mktemp("image")
    made = context / "made"
    made.mkdir()
    stand_in.install(context / "models", stand_in.pretrained(made))
    shutil.rmtree(made)
    (context / "Dockerfile").write_text(DOCKERFILE.format(base=base_image))
    docker_engine.images.build(path=str(context), tag=IMAGE, rm=True, network_mode="host")
    yield IMAGE
    docker_engine.images.remove(IMAGE, force=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("zoo")


def snakemake(folder: Path, image: str, *words: str, fails: str = ""):
    source = "image:/opt/stand_in_models"
    return stand_in.snakemake(
        folder, *words, image=image, source=source, python="python3", fails=fails
    )


def test_the_guides_commands_run_in_the_image(image, folder, docker_engine):
    done = snakemake(folder, image, "modelzoo")
    assert done.returncode == 0, done.stdout + done.stderr
    results = folder / "results/modelzoo"
    assert json.loads((results / "accuracy/metrics.json").read_text())["f1"] == 90.0
    cell = json.loads((results / "benchmark/result.json").read_text())
    assert cell["container"]["image_id"] == docker_engine.images.get(image).id
    assert cell["features_per_second"] > 0
    assert (results / "train/model/model.safetensors").is_file()
    assert (results / "accuracy/predictions.json").stat().st_uid == os.getuid()
    log = (results / "train/launcher.log").read_text()
    assert "STAND-IN" in log
    assert "OUTPUT_DIR: " + str(results / "train/output") in log
    again = snakemake(folder, image, "modelzoo", "-n")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_a_failure_in_the_container_is_a_failure_here(image, folder, docker_engine):
    done = snakemake(folder, image, "modelzoo", fails="crash")
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "run_modelzoo.py: error: the Model Zoo's accuracy failed: a script ended with" in said
    assert not (folder / "results/modelzoo/accuracy/predictions.json").exists()
    running = docker_engine.containers.list(all=True, filters={"ancestor": image})
    assert not running


def test_an_image_that_is_not_there_is_one_line(docker_engine, folder):
    done = snakemake(folder, "no-such-image:v0", "modelzoo")
    assert done.returncode == 1
    assert "the engine has no image named 'no-such-image:v0'" in done.stdout + done.stderr
