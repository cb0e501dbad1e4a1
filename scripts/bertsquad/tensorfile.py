"""Safetensors files: the same bytes for the same arrays, mapped or read one tensor at a time.

Format: huggingface/safetensors, README: eight bytes with the header's size, the header in JSON,
then the values. By hand, since the library (0.8.0) writes metadata in random order, so that
equal data have different checksums; it also takes all tensors at once and copies what it reads,
where a checkpoint may be larger than memory and readers share pages (docs/decisions/tensorfile.md).
"""

import json
import math
import mmap
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np

from bertsquad.console.errors import UserError
from bertsquad.files import LFS_POINTER, is_lfs_pointer, written_whole

_DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),  # the upper half of a float32; NumPy has no such type
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items() if name != "BF16"}
_MAX_HEADER = 100_000_000  # bytes; the library's limit
_MAX_POINTER = 100  # bytes of a git-lfs pointer that are looked at
_ALIGNMENT = 8  # bytes; the header is padded with spaces
_CHECKSUM = "crc32c"  # the metadata's key
_PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt")

Layout = Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]]  # name -> (dtype, shape)


def write(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Write named arrays and texts, whole or not at all."""
    layout = {name: (array.dtype, array.shape) for name, array in arrays.items()}
    with written_whole(path) as part:
        write_streamed(part, layout, arrays.__getitem__, metadata)


def write_streamed(
    path: Path,
    layout: Layout,
    fetch: Callable[[str], np.ndarray],
    metadata: Mapping[str, str],
) -> None:
    """Write arrays of known dtype and shape, fetching each when its turn comes."""
    # Wide types first, as the library does, so that every array starts at a multiple of its width.
    names = sorted(layout, key=lambda name: (-layout[name][0].itemsize, name))
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    end = 0
    for name in names:
        dtype, shape = layout[name]
        begin, end = end, end + dtype.itemsize * math.prod(shape)
        offsets = [begin, end]
        header[name] = {"dtype": _NAMES[dtype], "shape": list(shape), "data_offsets": offsets}
    encoded = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    encoded += b" " * (-len(encoded) % _ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for name in names:
            dtype, shape = layout[name]
            values = np.asarray(fetch(name), dtype=dtype, order="C")
            if values.shape != shape:
                raise ValueError(f"{name}: shape {values.shape}, expected {shape}")
            file.write(values.data)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays, as read-only views of the memory-mapped file, and the metadata.

    Opening costs the same for every size; pages are read when they are used, and all processes on
    a machine share them. Raises `UserError` as `TensorFile` does.
    """
    opened = TensorFile(path)
    with Path(path).open("rb") as file:
        data = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    arrays = {}
    for name in opened.shapes:
        dtype, begin, end = opened.place(name)
        arrays[name] = data[begin:end].view(dtype).reshape(opened.shapes[name])
    return arrays, opened.metadata


def write_checked(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """As `write`, with a checksum of everything among the texts."""
    write(path, arrays, {**metadata, _CHECKSUM: checksum(arrays, metadata)})


def read_checked(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """As `read`, of a file by `write_checked`; all of it is read once.

    Raises `UserError` as `TensorFile` does, and where the checksum is missing or another.
    """
    arrays, metadata = read(path)
    return arrays, verified(path, arrays, metadata)


def verified(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> dict[str, str]:
    """The texts without the checksum, which is compared; `UserError` as in `read_checked`."""
    metadata = dict(metadata)
    expected = metadata.pop(_CHECKSUM, None)
    if expected is None:
        raise UserError(
            f"{path}: without a checksum, so not as this version writes it; make it again"
        )
    found = checksum(arrays, metadata)
    if found != expected:
        raise UserError(
            f"{path}: damaged: its checksum is {found}, expected {expected[:8]!r}; make it again"
        )
    return metadata


def checksum(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """CRC-32C, in hexadecimal, of the names, types, shapes and values of arrays, and of texts.

    A changed byte is always found. It runs at about 10 GB/s, so that it does not show beside the
    writing of a file.
    """
    names = sorted(arrays)
    head = [[name, arrays[name].dtype.str, list(arrays[name].shape)] for name in names]
    crc = google_crc32c.value(json.dumps([head, sorted(metadata.items())]).encode())
    for name in names:
        crc = google_crc32c.extend(crc, np.ascontiguousarray(arrays[name]))
    return f"{crc:08x}"


class TensorFile:
    """An opened safetensors file: `shapes` by tensor name; `read` fetches one tensor.

    Raises `UserError` that names the file when it is missing, damaged or of another format.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        if self.path.endswith(".index.json"):
            raise UserError(
                f"{path}: an index of weights split over several files; expected one of these"
            )
        try:
            with Path(path).open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                encoded = file.read(min(size, _MAX_HEADER))
                self._start = 8 + size
                self._end = file.seek(0, os.SEEK_END)
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(f"{path}: no such file; expected a safetensors file") from None
        try:
            header = _parse_header(encoded, size)
            self.metadata: dict[str, str] = header.pop("__metadata__", {})
            self._entries = _checked_entries(header, self._end - self._start)
        except (ValueError, RecursionError) as error:
            if is_lfs_pointer(size.to_bytes(8, "little") + encoded[:_MAX_POINTER]):
                raise UserError(f"{path}: {LFS_POINTER}") from None
            if self.path.endswith(_PICKLE_SUFFIXES):
                raise UserError(
                    f"{path}: pickled PyTorch weights are not supported, because loading them can "
                    "run code; expected the checkpoint's model.safetensors"
                ) from None
            raise UserError(
                f"{path}: not a whole safetensors file: {error}; make or fetch it again"
            ) from None

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every tensor, by name, in the file's order."""
        return {name: tuple(entry["shape"]) for name, entry in self._entries.items()}

    def place(self, name: str) -> tuple[np.dtype[Any], int, int]:
        """A tensor's stored dtype, and its first byte and the one after its last in the file."""
        entry = self._entries[name]
        dtype = _DTYPES.get(entry["dtype"])
        if dtype is None:
            raise UserError(
                f"{self.path}: tensor {name} has the dtype {entry['dtype']}, which is not supported"
            )
        begin, end = entry["data_offsets"]
        expected = math.prod(entry["shape"]) * dtype.itemsize
        if end - begin != expected:
            raise UserError(
                f"{self.path}: tensor {name} of shape {entry['shape']} and dtype {entry['dtype']} "
                f"has {end - begin:,} bytes; expected {expected:,}"
            )
        return dtype, self._start + begin, self._start + end

    def read(self, name: str) -> np.ndarray:
        """The tensor's values in a new array of its dtype; bfloat16 becomes float32, exactly."""
        dtype, begin, end = self.place(name)
        count = (end - begin) // dtype.itemsize
        values = np.fromfile(self.path, dtype=dtype, count=count, offset=begin)
        if self._entries[name]["dtype"] == "BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        return values.reshape(self.shapes[name])


def _parse_header(encoded: bytes, size: int) -> dict[str, Any]:
    """The header; ValueError (JSON and Unicode errors are such) that names what is wrong."""
    if not 0 < size <= _MAX_HEADER or len(encoded) < size:
        raise ValueError(f"its header should have {size:,} bytes")
    header = json.loads(encoded)
    if not isinstance(header, dict):
        raise ValueError("its header is not a JSON object")
    texts = header.get("__metadata__", {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("its metadata are not texts")
    return header


def _checked_entries(header: dict[str, Any], data_size: int) -> dict[str, dict[str, Any]]:
    """The entries, when they cover `data_size` bytes without gap or overlap; else ValueError."""
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
    """Has it the keys and types that the format asks for?"""
    if not isinstance(entry, dict) or not isinstance(entry.get("dtype"), str):
        return False
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not isinstance(shape, list) or not isinstance(offsets, list) or len(offsets) != 2:
        return False
    return all(type(n) is int and n >= 0 for n in [*shape, *offsets]) and offsets[0] <= offsets[1]
