"""One kind of file that is fuzzed, and the two ways to damage it."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuzz.mutations import damaged_bytes, damaged_json_text

Read = Callable[[Path], Any]
Damage = Callable[[random.Random], bytes]


@dataclass(frozen=True)
class Target:
    """One kind of file."""

    path: Path  # where it is read from
    whole: bytes
    damage: Damage
    read: Read


def json_target(path: Path, value: Any, read: Read) -> Target:
    return Target(path, json.dumps(value).encode(), lambda rng: damaged_json_text(rng, value), read)


def bytes_target(path: Path, read: Read) -> Target:
    whole = path.read_bytes()
    return Target(path, whole, lambda rng: damaged_bytes(rng, whole), read)
