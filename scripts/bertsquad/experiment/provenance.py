"""What went into an experiment: checksum, size, licence and source of every input file."""

from pathlib import Path
from typing import Any

from bertsquad.checkpoint.given_folder import find_parts
from bertsquad.files import sha256


def describe_inputs(
    files: list[Path], entries: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """For each downloaded file: its SHA-256 and bytes as found, and the catalogue's facts about it.

    `entries` maps file names to `url`, `license`, `citation` and the like.
    """
    return {
        path.name: {"sha256": sha256(path), "bytes": path.stat().st_size} | entries[path.name]
        for path in files
    }


def describe_models(folders: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """For each file of the model folders, as `name/file`: its SHA-256 and bytes as found, and the
    facts about its folder.

    `folders` maps names to `path` and to `url`, `license`, `citation` and the like.
    """
    return {
        f"{name}/{path.name}": {"sha256": sha256(path), "bytes": path.stat().st_size}
        | {key: value for key, value in facts.items() if key != "path"}
        for name, facts in folders.items()
        for path in find_parts(facts["path"]).files
    }
