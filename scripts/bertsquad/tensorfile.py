"""Arrays in one safetensors file: the same bytes for the same arrays, and read without a copy.

The `safetensors` library writes its metadata in random order and copies what it reads; the format
is simple enough (a JSON header, then the arrays end to end) to do without.
"""

import json
import math
import mmap
import os
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bertsquad.errors import UserError
from bertsquad.files import written_whole

DTYPES = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def write(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Write named arrays and texts, whole or not at all."""
    # Wide types first, as the library does, so that every array lies at a multiple of its width.
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))}
    end = 0
    for name in names:
        array = arrays[name]
        begin, end = end, end + array.nbytes
        header[name] = {
            "dtype": NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    with written_whole(path) as part, part.open("wb") as handle:
        handle.write(struct.pack("<Q", len(text)))
        handle.write(text)
        for name in names:
            handle.write(np.ascontiguousarray(arrays[name]).data)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays, as read-only views of the memory-mapped file, and the metadata.

    Opening costs the same for every size; pages are read when they are used, and all processes on
    a machine share them. Raises `UserError` for a file that is missing, cut short or no safetensors
    file.
    """
    try:
        with Path(path).open("rb") as handle:
            data = np.frombuffer(mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except ValueError:  # an empty file cannot be mapped
        raise UserError(f"{path}: the file is empty; make it again") from None
    try:
        (size,) = struct.unpack("<Q", data[:8].tobytes())
        header = json.loads(data[8 : 8 + size].tobytes())
        metadata = header.pop("__metadata__", {})
        arrays = {name: view(data[8 + size :], **entry) for name, entry in header.items()}
    except (struct.error, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise UserError(
            f"{path}: not a whole safetensors file ({len(data)} bytes); make it again"
        ) from None
    return arrays, metadata


def view(data: np.ndarray, dtype: str, shape: list[int], data_offsets: list[int]) -> np.ndarray:
    begin, end = data_offsets
    if (
        not 0 <= begin <= end <= len(data)
        or end - begin != math.prod(shape) * DTYPES[dtype].itemsize
    ):
        raise ValueError(f"bytes {begin}..{end} of {len(data)} do not hold {dtype} {shape}")
    return data[begin:end].view(DTYPES[dtype]).reshape(shape)
