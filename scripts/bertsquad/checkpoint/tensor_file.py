"""Safetensors files, read and written one tensor at a time.

Format: huggingface/safetensors, README: eight bytes with the header's size, the header in JSON,
then the values. The library's own readers map the file and its writers want all tensors at once;
these hold a single tensor in memory.
"""

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.errors import UserError

DTYPES = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),  # the upper half of a float32; NumPy has no such type
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
MAX_HEADER = 100_000_000  # bytes; the library's limit
ALIGNMENT = 8  # bytes; the header is padded with spaces
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt")


class TensorFile:
    """An opened safetensors file: `shapes` by tensor name; `read` fetches one tensor.

    Raises `UserError` that names the file when it is missing, damaged or of another format.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        if self.path.endswith(".index.json"):
            raise UserError(
                f"{path}: an index of weights split over several files, which is not supported; "
                "expected one model.safetensors"
            )
        try:
            with Path(path).open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                header = file.read(min(size, MAX_HEADER))
                self._start = 8 + size
                self._end = file.seek(0, os.SEEK_END)
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(f"{path}: no such file; expected a model.safetensors") from None
        try:
            self._entries = _parse_header(header, size, self._end - self._start)
        except (ValueError, RecursionError) as error:
            if self.path.endswith(PICKLE_SUFFIXES):
                raise UserError(
                    f"{path}: pickled PyTorch weights are not supported, because loading them can "
                    "run code; expected the checkpoint's model.safetensors"
                ) from None
            raise UserError(
                f"{path}: not a safetensors file, or a damaged one: {error}; fetch it again"
            ) from None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every tensor, by name, in the file's order."""
        return {name: tuple(entry["shape"]) for name, entry in self._entries.items()}

    def read(self, name: str) -> np.ndarray:
        """The tensor's values in a new array of its dtype; bfloat16 becomes float32, exactly."""
        entry = self._entries[name]
        dtype = DTYPES.get(entry["dtype"])
        if dtype is None:
            raise UserError(
                f"{self.path}: tensor {name} has the dtype {entry['dtype']}, which is not supported"
            )
        begin, end = entry["data_offsets"]
        count = math.prod(entry["shape"])
        if end - begin != count * dtype.itemsize:
            raise UserError(
                f"{self.path}: tensor {name} of shape {entry['shape']} and dtype {entry['dtype']} "
                f"has {end - begin:,} bytes; expected {count * dtype.itemsize:,}"
            )
        values = np.fromfile(self.path, dtype=dtype, count=count, offset=self._start + begin)
        if entry["dtype"] == "BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        return values.reshape(entry["shape"])


def write_float32(
    path: Path, shapes: Mapping[str, tuple[int, ...]], read: Callable[[str], np.ndarray]
) -> None:
    """Write float32 tensors of known shapes in order of their names, fetching each by `read` when
    its turn comes. The bytes are those the safetensors library writes."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}  # transformers asks for it
    end = 0
    for name in sorted(shapes):
        begin, end = end, end + 4 * math.prod(shapes[name])
        offsets = [begin, end]
        header[name] = {"dtype": "F32", "shape": list(shapes[name]), "data_offsets": offsets}
    encoded = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    encoded += b" " * (-len(encoded) % ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for name in sorted(shapes):
            values = np.asarray(read(name), dtype="<f4", order="C")
            if values.shape != shapes[name]:
                raise ValueError(f"{name}: shape {values.shape}, expected {shapes[name]}")
            file.write(values.data)


def _parse_header(encoded: bytes, size: int, data_size: int) -> dict[str, dict[str, Any]]:
    if size > MAX_HEADER or len(encoded) < size:
        raise ValueError(f"its header should have {size:,} bytes")
    header = json.loads(encoded)  # JSON and Unicode errors are ValueErrors
    if not isinstance(header, dict):
        raise ValueError("its header is not a JSON object")
    header.pop("__metadata__", None)
    for name, entry in header.items():
        if not _is_entry(entry):
            raise ValueError(f"its header describes tensor {name} wrongly")
    expected = 0
    for begin, end in sorted(entry["data_offsets"] for entry in header.values()):
        if begin != expected:
            raise ValueError(f"its tensors leave a gap or overlap at byte {begin:,}")
        expected = end
    if expected != data_size:
        raise ValueError(f"it has {data_size:,} bytes of values, and should have {expected:,}")
    return header


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("dtype"), str):
        return False
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not isinstance(shape, list) or not isinstance(offsets, list) or len(offsets) != 2:
        return False
    return all(type(n) is int and n >= 0 for n in [*shape, *offsets]) and offsets[0] <= offsets[1]
