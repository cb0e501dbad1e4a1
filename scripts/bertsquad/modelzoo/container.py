"""The launcher in a container: a call of scripts/docker_shell.py, which knows how one is run."""

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertsquad.modelzoo.environment import cleaned

DOCKER_SHELL = Path(__file__).resolve().parents[2] / "docker_shell.py"
# What the container prints of itself before the launcher starts.
IDENTITY = "bertsquad container: "


def in_container(
    image: str,
    argv: Sequence[str],
    variables: Mapping[str, str],
    outer: Mapping[str, str],
    *,
    shm_size: str,
    binding: bool,
    folders: Sequence[Path] = (),
) -> tuple[list[str], dict[str, str]]:
    """The command that runs `argv` with these variables in a container of the image, and the
    environment it needs: `outer` without what would change the launcher's run.

    The working directory and `folders` are at their own paths, files belong to the caller.
    `binding` gives the container SYS_NICE, which is all that numactl needs of the guide's
    seccomp=unconfined.
    """
    settings = {
        "IMAGE": image,
        "SHM_SIZE": shm_size,
        "BINDING": "yes" if binding else "no",
        "ENV": ",".join(variables),
        "MOUNTS": ":".join(map(str, folders)),
    }
    given = {f"BERTSQUAD_DOCKER_{name}": value for name, value in settings.items()}
    # The images of bertsquad itself are told by a variable; the launcher's log shall tell, too.
    shown = f'echo "{IDENTITY}$BERTSQUAD_CONTAINER"; exec {shlex.join(argv)}'
    return [sys.executable, str(DOCKER_SHELL), "-c", shown], cleaned(outer) | variables | given


def identity(lines: Sequence[str]) -> dict[str, Any] | None:
    """Which image it was, from the log; None outside a container."""
    for line in lines:
        if line.startswith(IDENTITY):
            return json.loads(line.removeprefix(IDENTITY))
    return None
