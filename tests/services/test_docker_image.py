"""The image that envs/Dockerfile makes."""

import json
import subprocess
import sys

from bertsquad.containers.building import pip_settings
from project import ROOT


def test_its_user_is_not_root_and_has_the_environment(docker_engine, image):
    command = "id -un; touch /usr/local/lib/bertsquad/x || python -c 'import snakemake, torch'"
    output = docker_engine.containers.run(
        image.id, ["bash", "-c", command], network_mode="none", remove=True
    )
    assert output == b"bertsquad\n"


def test_its_labels_say_what_it_is(image):
    labels = {name.rpartition(".")[2]: value for name, value in image.labels.items()}
    assert labels["title"] == "bertsquad"
    assert labels["licenses"] == "Apache-2.0"
    assert f"version: {labels['version']}" in (ROOT / "CITATION.cff").read_text()
    assert {"revision", "source", "description"} <= set(labels)


def test_it_is_small(image):
    """CUDA would be gigabytes more."""
    assert image.attrs["Size"] < 2.1e9


def test_it_holds_no_setting_of_the_machine_that_built_it(docker_engine, image):

    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True
    ).stdout
    values = [value for value in pip_settings(listing).values() if len(value) > 8]
    recorded = json.dumps([image.attrs, image.history()])
    assert not [value for value in values if value in recorded]
    found = docker_engine.containers.run(
        image.id,
        ["bash", "-c", "find / -xdev -name 'pip.conf' -o -xdev -name 'ca.crt' -size +0"],
        user="root",
        network_mode="none",
        remove=True,
    )
    assert found == b""
