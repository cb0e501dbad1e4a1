"""The tensors of a folder of transformers', whether in one safetensors file or in several."""

import os
from pathlib import Path

import numpy as np

from bertsquad.checkpoint.weight_files import find_weights, is_index, shard_of_tensors
from bertsquad.console.errors import UserError
from bertsquad.tensorfile import TensorFile

_MOST_SHARDS = 10_000  # a BERT of that many files does not exist; each costs a header in memory


class Shards:
    """Several safetensors files as one: `shapes` by tensor name; `read` fetches one tensor.

    Opening reads the header of every file. Raises `UserError` that names the index or the file when
    a file is missing, damaged or of another format, or lacks a tensor that the index says it has. A
    tensor that the index does not name, or names elsewhere, is none of the checkpoint's.
    """

    def __init__(self, index: str | os.PathLike[str]) -> None:
        self._place = shard_of_tensors(index)
        paths = sorted(set(self._place.values()))
        if len(paths) > _MOST_SHARDS:
            raise UserError(f"{index}: {len(paths):,} files; expected at most {_MOST_SHARDS:,}")
        self._files = {path: _opened(path, index) for path in paths}
        # Asked once: `shapes` of a file makes a new dictionary each time.
        held = {path: file.shapes for path, file in self._files.items()}
        self.shapes: dict[str, tuple[int, ...]] = {}
        for name, path in self._place.items():
            if name not in held[path]:
                raise UserError(
                    f"{path}: no tensor {name}; {index} says that it is in this file: fetch both "
                    "again, from the same place"
                )
            self.shapes[name] = held[path][name]

    def read(self, name: str) -> np.ndarray:
        """The tensor's values in a new array of its dtype; bfloat16 becomes float32, exactly."""
        return self._files[self._place[name]].read(name)


def open_weights(path: str | os.PathLike[str]) -> TensorFile | Shards:
    """The tensors of a safetensors file, of an index, or of a folder that has one of the two.

    float16 and float32 keep their type, bfloat16 becomes float32. Raises `UserError` as
    `find_weights`, `TensorFile` and `Shards` do.
    """
    found = find_weights(path)
    return Shards(found) if is_index(found) else TensorFile(found)


def _opened(path: Path, index: str | os.PathLike[str]) -> TensorFile:
    if not path.is_file():
        raise UserError(f"{path}: no such file; {index} says that it holds some of the weights")
    return TensorFile(path)
