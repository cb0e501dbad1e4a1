"""The files of one call of the launcher."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one call, as absolute paths."""

    output: Path  # the launcher's --output-dir
    vocab: Path
    config: Path
    weights: Path  # prefix of a TensorFlow checkpoint
    dev: Path
    train: Path | None = None  # of training
