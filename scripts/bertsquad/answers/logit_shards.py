"""Files of logits of a part of the features, and the logits file that all parts make together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bertsquad import tensorfile
from bertsquad.answers import logits
from bertsquad.answers.logits import Logits
from bertsquad.console.errors import UserError
from bertsquad.data.batching import starts_of
from bertsquad.data.features import ranges

_TEXTS = ("engine", "precision", "features_sha256", "kernels")


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard `number` of `shards`, counted from 1."""

    logits: Logits  # of its features
    indices: np.ndarray  # int64[features of it], ascending: their numbers in the features file
    number: int
    shards: int


def write(path: str | os.PathLike[str], shard: Shard) -> None:
    """Write a shard, whole or not at all."""
    tensorfile.write_checked(
        path,
        {
            "start_logits": np.asarray(shard.logits.start_logits, np.float32),
            "end_logits": np.asarray(shard.logits.end_logits, np.float32),
            "starts": np.asarray(shard.logits.starts, np.int64),
            "indices": np.asarray(shard.indices, np.int64),
        },
        {name: getattr(shard.logits, name) for name in _TEXTS}
        | {"number": str(shard.number), "shards": str(shard.shards)},
    )


def read(path: str | os.PathLike[str]) -> Shard:
    """Read a shard; UserError as `logits.read` raises it, and for what is no shard."""
    part = logits.read(path)
    arrays, metadata = tensorfile.read(path)
    try:
        indices = arrays["indices"]
        shard = Shard(part, indices, int(metadata["number"]), int(metadata["shards"]))
    except (KeyError, ValueError) as error:
        raise UserError(
            f"{path}: not a shard of logits: {error}; compute_logits_shard makes it"
        ) from None
    if len(indices) != len(part.starts) - 1:
        raise UserError(
            f"{path}: {len(part.starts) - 1} features and {len(indices)} numbers of them; run "
            "compute_logits_shard again"
        )
    return shard


def join(paths: Sequence[str | os.PathLike[str]]) -> Logits:
    """The logits of all features from the files of all shards, in any order. Kernels that differ,
    as on different processors, are all named.

    Raises:
        UserError: a shard is missing, is there twice, or is of other features, of another engine
            or precision.
    """
    files = [(read(path), path) for path in paths]
    shards = sorted((shard for shard, _ in files), key=lambda shard: shard.number)
    named = {shard.number: path for shard, path in files}
    first = shards[0]
    for shard in shards:
        for name in ("engine", "precision", "features_sha256"):
            if getattr(shard.logits, name) != getattr(first.logits, name):
                raise UserError(
                    f"{named[shard.number]}: {name} is {getattr(shard.logits, name)}, and "
                    f"{getattr(first.logits, name)} in {named[first.number]}; expected shards of "
                    "one computation: run compute_logits_shard again"
                )
    numbers = [shard.number for shard in shards]
    expected = list(range(1, first.shards + 1))
    if numbers != expected or {shard.shards for shard in shards} != {first.shards}:
        found = ", ".join(f"{shard.number} of {shard.shards}" for shard in shards)
        raise UserError(
            f"{named[first.number]}: joined with it are the shards {found}; expected each of "
            f"1 to {first.shards} once"
        )
    return _joined(shards, named[first.number])


def _joined(shards: list[Shard], path: str | os.PathLike[str]) -> Logits:
    indices = np.concatenate([shard.indices for shard in shards])
    lengths = np.zeros(len(indices), np.int64)
    if not np.array_equal(np.sort(indices), np.arange(len(indices))):
        raise UserError(
            f"{path}: together the shards have not every feature once; expected those of one plan: "
            "run compute_logits_shard again"
        )
    for shard in shards:
        lengths[shard.indices] = np.diff(shard.logits.starts)
    starts = starts_of(lengths)
    start_logits = np.empty(starts[-1], np.float32)
    end_logits = np.empty(starts[-1], np.float32)
    for shard in shards:
        places = ranges(starts[shard.indices], lengths[shard.indices])
        start_logits[places] = shard.logits.start_logits
        end_logits[places] = shard.logits.end_logits
    first = shards[0].logits
    kernels = " | ".join(dict.fromkeys(shard.logits.kernels for shard in shards))
    texts = (first.engine, first.precision, first.features_sha256, kernels)
    return Logits(start_logits, end_logits, starts, *texts)
