"""How containers are run on this machine, read from environment variables.

What changes from machine to machine is not part of an experiment, and Snakemake gives the shell
that it calls only the environment; so these are neither in the configuration nor options.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.console.suggestions import did_you_mean
from bertsquad.containers.mounts import read_folder_list

_PREFIX = "BERTSQUAD_DOCKER_"
_SIZE = re.compile(r"[1-9][0-9]*[kmg]", re.IGNORECASE)
_CPUS = re.compile(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*")
_SWITCH = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Settings:
    """One field per variable BERTSQUAD_DOCKER_<FIELD>; docs/containers.md explains them."""

    image: str = "bertsquad"
    memory: str | None = None  # `8g`; None: as much as the machine has
    cpus: str | None = None  # `0-7,16`; None: those that the caller may use
    shm_size: str = "1g"  # of /dev/shm; memory is used only for what is written there
    network: str = "host"  # downloads, and training on several hosts, need one
    binding: bool = False  # allow binding memory to NUMA nodes
    mounts: tuple[str, ...] = ()  # more folders, each at its own path
    env: tuple[str, ...] = ()  # more variables to pass on


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment gives. `UserError` that names the variable otherwise."""
    given = {
        name.removeprefix(_PREFIX).lower(): (name, value.strip())
        for name, value in environment.items()
        if name.startswith(_PREFIX) and value.strip()
    }
    readers: dict[str, Callable[[str, str], Any]] = {  # (variable, value) -> the field
        "image": _text,
        "memory": _size,
        "cpus": _cpus,
        "shm_size": _size,
        "network": _text,
        "binding": _switch,
        "mounts": _folders,
        "env": _names,
    }
    for field, (name, _) in given.items():
        if field not in readers:
            hint = did_you_mean(name, [f"{_PREFIX}{known.upper()}" for known in readers])
            raise UserError(f"{name}: no such setting; {hint}")
    return Settings(**{field: readers[field](*pair) for field, pair in given.items()})


def _text(name: str, value: str) -> str:
    return value


def _size(name: str, value: str) -> str:
    if not _SIZE.fullmatch(value):
        raise UserError(f"{name}: found {value!r}; expected a size such as 512m or 8g")
    return value.lower()


def _cpus(name: str, value: str) -> str:
    if not _CPUS.fullmatch(value):
        raise UserError(f"{name}: found {value!r}; expected processors such as 0-7 or 0,2,4-5")
    return value


def _folders(name: str, value: str) -> tuple[str, ...]:
    try:
        found = tuple(read_folder_list(value))
    except ValueError:
        found = ("",)
    for folder in found:
        if not Path(folder).is_absolute():
            raise UserError(
                f"{name}: found {folder!r}; expected absolute folders joined by ':', or, where a "
                'path holds a colon, a JSON list: ["/a:b"]'
            )
    return found


def _names(name: str, value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _switch(name: str, value: str) -> bool:
    if value.lower() not in _SWITCH:
        raise UserError(f"{name}: found {value!r}; expected yes or no")
    return _SWITCH[value.lower()]
