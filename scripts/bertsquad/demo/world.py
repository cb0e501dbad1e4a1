"""Read the files of world/, which hold the made-up world: its names, words and kinds of entries."""

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "world"


def read_world(name: str) -> Any:
    """The content of one file of world/."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
