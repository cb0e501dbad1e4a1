"""The weights of a fine-tuned model for engines that build their own graph: mapped, not read."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.console.errors import UserError
from bertsquad.engines.mapped import map_file
from bertsquad.model.config import encoder_shapes, head_shapes, read_config
from bertsquad.tensorfile import TensorFile


@dataclass(frozen=True, slots=True)
class Weights:
    """A model folder without PyTorch: its configuration and its mapped weights."""

    path: Path  # the safetensors file
    config: dict[str, Any]  # in transformers' terms
    shapes: dict[str, tuple[int, ...]]  # of the encoder's and the answer head's tensors
    offsets: dict[str, int]  # the first byte of each in the file; all are float32
    mapped: mmap.mmap  # the whole file

    def array(self, name: str) -> np.ndarray:
        """A tensor as a view of the mapped file."""
        return np.ndarray(self.shapes[name], np.float32, self.mapped, self.offsets[name])


def read_weights(model_dir: str | Path) -> Weights:
    """The weights of a model folder (bertsquad.model.folder).

    Raises UserError where a file is missing or not of its kind, or a tensor is missing, of another
    shape than config.json asks for, or not float32.
    """
    config = read_config(Path(model_dir) / "config.json")
    path = Path(model_dir) / "model.safetensors"
    file = TensorFile(path)
    *_, answer_head = head_shapes(config)
    shapes = encoder_shapes(config) | answer_head
    offsets = {name: offset(file, name, shape) for name, shape in shapes.items()}
    return Weights(path, config, shapes, offsets, map_file(path))


def offset(file: TensorFile, name: str, shape: tuple[int, ...]) -> int:
    """Where this tensor begins in its file; UserError unless it is float32 of this shape."""
    if name not in file.shapes:
        raise UserError(
            f"{file.path}: the tensor {name} is missing; expected a fine-tuned model's, as "
            "finetune.py writes it"
        )
    if file.shapes[name] != shape:
        raise UserError(
            f"{file.path}: the tensor {name} is {list(file.shapes[name])}; config.json asks for "
            f"{list(shape)}"
        )
    dtype, begin, _ = file.place(name)
    if dtype != np.float32:
        raise UserError(
            f"{file.path}: the tensor {name} is not float32; expected a fine-tuned model's, as "
            "finetune.py writes it"
        )
    return begin
