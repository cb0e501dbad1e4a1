"""Files of checkpoints that are fuzzed: TensorFlow's, and the index of several safetensors."""

from pathlib import Path

import numpy as np

from bertsquad import tensorfile
from bertsquad.checkpoint import bundle
from bertsquad.checkpoint.shards import open_weights
from bertsquad.checkpoint.weight_files import INDEX
from fuzz.target import Target, bytes_target, json_target

TENSORS = {"a/kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "step": np.int64(7)}


def _is_one_of(found: np.ndarray, known: list[np.ndarray]) -> bool:
    return any(
        found.dtype == one.dtype and found.shape == one.shape and np.array_equal(found, one)
        for one in known
    )


def _read_bundle(path: Path) -> None:
    """Values and index carry checksums: what is read is what was written."""
    read = bundle.read(path.with_name("model.ckpt"))
    assert read.keys() == TENSORS.keys()
    assert all(_is_one_of(values, [np.asarray(TENSORS[name])]) for name, values in read.items())


def bundle_index(folder: Path) -> Target:
    bundle.write(folder / "model.ckpt", TENSORS)
    return bytes_target(folder / "model.ckpt.index", _read_bundle)


def bundle_data(folder: Path) -> Target:
    bundle.write(folder / "model.ckpt", TENSORS)
    return bytes_target(folder / "model.ckpt.data-00000-of-00001", _read_bundle)


def shard_index(folder: Path) -> Target:
    values = {"x": np.ones((2, 3), np.float32), "y": np.zeros(4, np.float32)}
    names = {"x": "model-00001-of-00002.safetensors", "y": "model-00002-of-00002.safetensors"}
    for name, file in names.items():
        tensorfile.write(folder / file, {name: values[name]}, {"format": "pt"})
    value = {"metadata": {"total_size": 40}, "weight_map": names}

    def read(path: Path) -> None:
        weights = open_weights(path)
        for name in weights.shapes:
            assert np.array_equal(weights.read(name), values[name])

    return json_target(folder / INDEX, value, read)
