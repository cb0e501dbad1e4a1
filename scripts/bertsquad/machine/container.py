"""Which image the code runs in, for machine.json and every measured cell."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bertsquad.files import sha256
from bertsquad.machine.reading import attempt, unavailable

# Set by scripts/docker_shell.py: a process cannot ask which image its container was made of.
_VARIABLE = "BERTSQUAD_CONTAINER"
LABELS = "org.opencontainers.image."


def describe_container(
    environment: Mapping[str, str] = os.environ,
    root: Path = Path("/"),
    digest: Callable[[Path], str] = sha256,
) -> dict[str, Any] | None:
    """`engine`, `image` and what identifies it: `image_id` (Docker) or `image_sha256` (Apptainer),
    `digest` where the image came from a registry, `version` and `revision` of its labels.

    None outside a container. `digest` gives the SHA-256 of an image's file, of a gigabyte or more.
    """
    if _VARIABLE in environment:
        given: dict[str, Any] = json.loads(environment[_VARIABLE])
        return given
    if "APPTAINER_CONTAINER" in environment:
        return _apptainer(Path(environment["APPTAINER_CONTAINER"]), root, digest)
    for engine, mark in {"docker": ".dockerenv", "podman": "run/.containerenv"}.items():
        if (root / mark).exists():
            return {"engine": engine, "image": unavailable(f"not told: no {_VARIABLE} is set")}
    return None


def docker_identity(name: str, image: Mapping[str, Any], engine_version: str) -> str:
    """What a container is given about its image, as JSON; `image` is what `docker inspect` prints.

    An image built here has an id and no digest: that is given by a registry.
    """
    labels = (image.get("Config") or {}).get("Labels") or {}
    return json.dumps(
        {
            "engine": "docker",
            "engine_version": engine_version,
            "image": name,
            "image_id": image["Id"],
            "digest": next(iter(image.get("RepoDigests") or ()), None),
            **_of_labels(labels),
        },
        sort_keys=True,
    )


def _apptainer(image: Path, root: Path, digest: Callable[[Path], str]) -> dict[str, Any]:
    labels = attempt(lambda: json.loads((root / ".singularity.d/labels.json").read_text()))
    return {
        "engine": "apptainer",
        "image": image.name,
        # The file can be read inside only where its folder is bound.
        "image_sha256": attempt(lambda: digest(image)),
        **_of_labels(labels),
    }


def _of_labels(labels: Mapping[str, str]) -> dict[str, str | None]:
    return {name: labels.get(f"{LABELS}{name}") for name in ("version", "revision")}
