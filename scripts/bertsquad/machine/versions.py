"""Versions of what computes, read from package metadata without importing it."""

import platform
from importlib import metadata
from typing import Any

from bertsquad.machine.reading import unavailable

PACKAGES = ("torch", "numpy", "tokenizers", "safetensors")


def versions(packages: tuple[str, ...] = PACKAGES) -> dict[str, Any]:
    """`{"python": "3.11.2", "torch": "2.13.0+cpu", ...}`; or `unavailable`."""
    return {"python": platform.python_version(), **{name: _version(name) for name in packages}}


def _version(package: str) -> Any:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return unavailable("not installed")
