"""What a folder needs beside an image's files so that Apptainer runs it like the image."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FOLDER = ".singularity.d"
# The first of the scripts that Apptainer reads inside; named as in images that it converts itself.
_ENVIRONMENT = f"{_FOLDER}/env/10-docker2singularity.sh"
_LABELS = f"{_FOLDER}/labels.json"


def add_metadata(root: Path, config: Mapping[str, Any]) -> None:
    """Write the image's environment and labels (`Config` of docker inspect) into its files."""
    (root / ".dockerenv").unlink(missing_ok=True)  # left by the container it was exported from
    script = root / _ENVIRONMENT
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(environment_script(config.get("Env") or []), encoding="utf-8")
    labels = json.dumps(config.get("Labels") or {}, indent=2, sort_keys=True)
    (root / _LABELS).write_text(labels + "\n", encoding="utf-8")


def environment_script(variables: list[str]) -> str:
    """`NAME=value` entries as a shell script that sets them."""
    pairs = (variable.partition("=") for variable in variables)
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, _, value in pairs)
