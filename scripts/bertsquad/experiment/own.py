"""Checkpoints and datasets that a configuration describes where it uses them, as entries of the
catalogue: `checkpoint: {folder: my-model}`, `dataset: {dev: my-dev.json}`."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bertsquad.artifacts.catalogue import NO_BRACES
from bertsquad.checkpoint.given_folder import find_parts
from bertsquad.console.errors import UserError
from bertsquad.model.config import read_config

_LONGEST_NAME = 60  # it is part of the names of files, of which a file system allows 255 bytes
_URL = re.compile(r"(https?|file):", re.ASCII)
_SPLITS = {"dev": "dev.json", "train": "train.json", "evaluator": "evaluate.py"}


def with_own_entries(config: dict[str, Any], source: str) -> dict[str, Any]:
    """`config`, checked by its schema, with a name for each checkpoint and dataset that is a
    mapping, and the entries of these names under `artifacts`.

    A run that trains nothing on a checkpoint of one's own keeps that one's answer head, and its
    windows are no longer than the model's positions, where nothing else is said. Raises `UserError`
    for files and folders that are not there.
    """
    config = {**config, "runs": {name: dict(run) for name, run in config["runs"].items()}}
    entries: dict[str, dict[str, Any]] = {"artifacts": {}, "checkpoints": {}, "datasets": {}}
    models: dict[str, dict[str, Any]] = {}
    for place, user in _users(config):
        where = f"{source}: {place}"
        if isinstance(user.get("checkpoint"), dict):
            name, entry = _checkpoint(user["checkpoint"], f"{where}checkpoint")
            _add(entries["checkpoints"], name, entry, f"{where}checkpoint")
            models[name], user["checkpoint"] = entry, name
        if isinstance(user.get("dataset"), dict):
            name, entry, artifacts = _dataset(user["dataset"], f"{where}dataset")
            _add(entries["datasets"], name, entry, f"{where}dataset")
            entries["artifacts"] |= artifacts
            user["dataset"] = name
    if not any(entries.values()):
        return config
    for run in config["runs"].values():
        model = models.get(run.get("checkpoint", config["checkpoint"]))
        if model is not None:
            run |= _defaults(model, run)
    given = config.get("artifacts") or {}
    config["artifacts"] = given | {
        section: (given.get(section) or {}) | added for section, added in entries.items() if added
    }
    return config


def _users(config: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What may name a checkpoint and a dataset, with its place for messages."""
    yield "", config
    for name, run in config["runs"].items():
        yield f"runs.{name}.", run


def _add(entries: dict[str, Any], name: str, entry: dict[str, Any], place: str) -> None:
    if entries.setdefault(name, entry) != entry:
        raise UserError(
            f"{place}: its name would be {name!r}, as that of another one; give it a name of its "
            "own by the key name"
        )


def _checkpoint(given: dict[str, Any], place: str) -> tuple[str, dict[str, Any]]:
    """The name and the entry of a checkpoint."""
    entry = {key: value for key, value in given.items() if key != "name"}
    if "folder" in given and "hub" in given:
        raise UserError(f"{place}: has folder and hub; expected one of the two")
    if "folder" in given:
        for key in ("revision", "address"):
            if key in given:
                raise UserError(f"{place}.{key}: belongs to a model of a hub; leave it out")
        _refuse_odd(given["folder"], f"{place}.folder")
        try:
            find_parts(given["folder"])
        except UserError as error:
            raise UserError(f"{place}.folder: {error}") from None
        return given.get("name") or name_of(given["folder"]), entry
    revision = given.get("revision", "main")
    suffix = "" if revision == "main" else f"-{revision}"
    return given.get("name") or _file_name(f"{given['hub']}{suffix}".split("/")), entry


def _dataset(
    given: dict[str, Any], place: str
) -> tuple[str, dict[str, Any], dict[str, dict[str, Any]]]:
    """The name and the entry of a dataset, and the artifacts that its files are."""
    name = given.get("name") or name_of(str(given["dev"]).removesuffix(".json"))
    facts = {key: given[key] for key in ("license", "citation", "description") if key in given}
    entry: dict[str, Any] = {}
    artifacts = {}
    for split, ending in _SPLITS.items():
        if given.get(split) is not None:
            entry[split] = f"{name}-{ending}"
            artifacts[entry[split]] = {"urls": [_url(given[split], f"{place}.{split}")]} | facts
    if given.get("version_2_with_negative"):
        entry["version_2_with_negative"] = True
    if "description" in facts:
        entry["description"] = facts["description"]
    return name, entry, artifacts


def _url(file: str, place: str) -> str:
    """The address of a file of the user's: relative, so that a change of the file is seen."""
    if _URL.match(file):
        return file
    _refuse_odd(file, place)
    path = Path(file)
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "no such file"
        raise UserError(f"{place}: {file}: {found}; expected a file in SQuAD's format")
    return f"file:{quote(os.path.relpath(path))}"


def _refuse_odd(path: str, place: str) -> None:
    """`UserError` for characters that Snakemake reads as wildcards or pathvars."""
    if {"{", "}"} & set(path):
        raise UserError(f"{place}: found {path!r}, {NO_BRACES}")
    if {"<", ">"} & set(path) or not path.isprintable():
        raise UserError(f"{place}: found {path!r}, expected a path without < and >; rename it")


def _defaults(model: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """Keys of a run that follow from a checkpoint of one's own and are not given."""
    found: dict[str, Any] = {}
    if run.get("epochs") == 0 and "head_init" not in run:
        found["head_init"] = "checkpoint"
    if "folder" in model and "max_seq_length" not in run:
        positions = read_config(Path(model["folder"]) / "config.json")["max_position_embeddings"]
        if positions < 384:  # else the schema's defaults
            found["max_seq_length"] = positions
            if "max_query_length" not in run:
                found["max_query_length"] = min(64, positions // 2 - 3)
    return found


def name_of(path: str) -> str:
    """A name for what is at a path, from the path as it is seen from here."""
    return _file_name(list(Path(os.path.relpath(path)).parts))


def _file_name(parts: list[str]) -> str:
    words = (re.sub(r"[^A-Za-z0-9_.-]+", "-", part).strip("-.") for part in parts)
    name = "-".join(word for word in words if word)
    if len(name) > _LONGEST_NAME or not re.match("[A-Za-z0-9]", name):
        digest = hashlib.sha256("/".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
        name = f"own-{digest[:8]}-{name[-_LONGEST_NAME // 2 :].lstrip('-._')}".rstrip("-")
    return name
