"""Snakemake's own metadata of outputs: a second witness beside the steps' records, and the first
where a step kept none.

Its checksums of inputs are taken when a job ends, and of small files only.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bertsquad.own_json import json_or_none

_LONGEST_NAME = 255  # of a file, Linux


def metadata_path(folder: Path, output: str) -> Path:
    """Where Snakemake notes what made an output: its path in Base64, in parts that are names."""
    text = urlsafe_b64encode(output.encode()).decode()
    parts = [text[i : i + _LONGEST_NAME - 1] for i in range(0, len(text), _LONGEST_NAME - 1)]
    return folder.joinpath(*(f"@{part}" for part in parts[:-1]), *parts[-1:])


def read_metadata(folder: Path, output: str) -> dict[str, Any] | None:
    """What Snakemake noted of the job that made `output`, which is written as the rule writes it;
    None where it noted nothing, or nothing that can be read.

    `folder` is `.snakemake/metadata`; the layout is that of persistence/file.py, format 6.
    """
    found = json_or_none(metadata_path(folder, output))
    if not isinstance(found, dict) or not isinstance(found.get("rule"), str):
        return None
    return found


def period(metadata: Mapping[str, Any]) -> tuple[float, float] | None:
    """When the job began and ended, in seconds since 1970."""
    began, ended = metadata.get("starttime"), metadata.get("endtime")
    if isinstance(began, int | float) and isinstance(ended, int | float):
        return float(began), float(ended)
    return None


def checksums(metadata: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of inputs when the job ended, by path."""
    found = metadata.get("input_checksums")
    return {
        path: text.removeprefix("sha256:")
        for path, text in (found.items() if isinstance(found, dict) else ())
        if isinstance(text, str) and text.startswith("sha256:")
    }


def as_text(seconds: float) -> str:
    """A moment as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def as_seconds(text: str | None) -> float | None:
    """The moment of an ISO 8601 text; None for another one."""
    try:
        return datetime.fromisoformat(text or "").timestamp()
    except (ValueError, OverflowError):
        return None
