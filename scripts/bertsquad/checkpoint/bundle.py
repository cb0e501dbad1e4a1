"""TensorFlow V2 checkpoints ("tensor bundles"), read and written without TensorFlow.

A checkpoint PREFIX is PREFIX.index, a table from tensor name to where and what the tensor is, and
shards PREFIX.data-SSSSS-of-NNNNN of raw little-endian values. Format: tensorflow/core/util/
tensor_bundle/tensor_bundle.cc and tensorflow/core/protobuf/tensor_bundle.proto.
"""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bertsquad.checkpoint.checksum import masked_crc32c
from bertsquad.checkpoint.sstable import encode_table, read_table
from bertsquad.checkpoint.wire import MalformedError, decode_fields, encode_field
from bertsquad.console.errors import UserError
from bertsquad.files import refuse_lfs_pointer, written_whole

_BFLOAT16 = 14
_DTYPES: dict[int, np.dtype] = {  # tensorflow/core/framework/types.proto
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    4: np.dtype("u1"),
    5: np.dtype("<i2"),
    6: np.dtype("i1"),
    9: np.dtype("<i8"),
    10: np.dtype("?"),
    _BFLOAT16: np.dtype("<u2"),  # the upper half of a float32; NumPy has no such type
    17: np.dtype("<u2"),
    19: np.dtype("<f2"),
    22: np.dtype("<u4"),
    23: np.dtype("<u8"),
}
_ENUM_OF_DTYPE = {dtype: enum for enum, dtype in _DTYPES.items() if enum != _BFLOAT16}
_NAME_OF_OTHER = {7: "string", 8: "complex64", 18: "complex128", 20: "resource", 21: "variant"}
_BUNDLE_VERSION = 1
_BIG_ENDIAN = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """The place of one tensor's bytes, its type and shape (BundleEntryProto)."""

    dtype: int  # tensorflow.DataType
    shape: tuple[int, ...]
    shard: int
    offset: int  # bytes from the shard's start
    size: int  # bytes
    crc32c: int  # masked, of the bytes
    sliced: bool  # stored in parts, under other names


class Bundle:
    """An opened checkpoint: `entries` by tensor name; `read` fetches and verifies one tensor.

    Opening verifies the whole index and that every shard is there and long enough; values are read
    only when asked for. Raises `UserError` that names the file and, where there is one, the tensor.
    """

    def __init__(self, prefix: str | os.PathLike[str]) -> None:
        """`prefix` is the checkpoint's prefix or one of its files."""
        self.prefix = re.sub(r"\.(index|meta|data-\d{5}-of-\d{5})$", "", os.fspath(prefix))
        self.index = f"{self.prefix}.index"
        table = read_table(self.index)
        try:
            self.shards = _decode_header(table.pop(b"", None))
            self.entries = {
                key.decode(): _decode_entry(value)
                for key, value in table.items()
                if not key.startswith(b"\0")  # a part of a sliced tensor
            }
        except (MalformedError, UnicodeDecodeError) as error:
            raise UserError(f"{self.index}: not a checkpoint's index: {error}") from None
        self._check_shards()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every tensor, by name, in name order."""
        return {name: entry.shape for name, entry in self.entries.items()}

    def shard_path(self, shard: int) -> str:
        return f"{self.prefix}.data-{shard:05d}-of-{self.shards:05d}"

    def read(self, name: str) -> np.ndarray:
        """The tensor's values in a new array of its dtype; bfloat16 becomes float32, exactly."""
        entry = self.entries[name]
        path = self.shard_path(entry.shard)
        if entry.sliced:
            raise UserError(
                f"{self.index}: tensor {name} is stored in parts (a partitioned variable), which "
                "is not supported; save the checkpoint again without a partitioner"
            )
        if entry.dtype not in _DTYPES:
            kind = _NAME_OF_OTHER.get(entry.dtype, f"type {entry.dtype}")
            raise UserError(f"{self.index}: tensor {name} holds {kind} values; expected numbers")
        dtype = _DTYPES[entry.dtype]
        count = math.prod(entry.shape)
        if entry.size != count * dtype.itemsize:
            raise UserError(
                f"{self.index}: tensor {name} of shape {list(entry.shape)} has {entry.size:,} "
                f"bytes; expected {count * dtype.itemsize:,}"
            )
        # Read, not mapped: mapped pages would count as this process's memory until unmapped.
        values: np.ndarray = np.fromfile(path, dtype=dtype, count=count, offset=entry.offset)
        if values.size != count:
            raise UserError(f"{path}: ends inside tensor {name}; fetch the checkpoint again")
        found = masked_crc32c(values)
        if found != entry.crc32c:
            raise UserError(
                f"{path}: tensor {name} is damaged: its checksum is {found:08x}, expected "
                f"{entry.crc32c:08x}; fetch the checkpoint again"
            )
        if entry.dtype == _BFLOAT16:
            values = (values.astype("<u4") << 16).view("<f4")
        return values.reshape(entry.shape)

    def _check_shards(self) -> None:
        sizes = {}
        for name, entry in self.entries.items():
            if entry.sliced:
                continue
            path = self.shard_path(entry.shard)
            if entry.shard >= self.shards:
                raise UserError(
                    f"{self.index}: tensor {name} is in shard {entry.shard} of {self.shards}"
                )
            if path not in sizes:
                if not Path(path).is_file():
                    raise UserError(
                        f"{path}: no such file; {self.index} says that the checkpoint has "
                        f"{self.shards} shard(s) and that tensor {name} is in this one"
                    )
                refuse_lfs_pointer(path)
                sizes[path] = Path(path).stat().st_size
            if entry.offset + entry.size > sizes[path]:
                raise UserError(
                    f"{path}: cut off: {sizes[path]:,} bytes, but tensor {name} ends at byte "
                    f"{entry.offset + entry.size:,}; fetch the checkpoint again"
                )


def read(prefix: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """All tensors of a checkpoint, in order of their names."""
    bundle = Bundle(prefix)
    return {name: bundle.read(name) for name in bundle.entries}


def write(prefix: str | os.PathLike[str], tensors: Mapping[str, np.ndarray]) -> None:
    """Write PREFIX.data-00000-of-00001, then PREFIX.index: the same bytes that TensorFlow's Saver
    writes for these tensors.

    Raises `ValueError` for an empty name, a name TensorFlow reserves or a dtype it does not know.
    """
    table = {b"": _encode_header(shards=1)}
    offset = 0
    with written_whole(f"{os.fspath(prefix)}.data-00000-of-00001") as part, part.open("wb") as data:
        for key in sorted(name.encode() for name in tensors):
            if not key or key.startswith(b"\0"):
                raise ValueError(f"{key!r} cannot name a tensor")
            array = np.asarray(tensors[key.decode()])
            dtype = array.dtype.newbyteorder("<")
            if dtype not in _ENUM_OF_DTYPE:
                raise ValueError(f"tensor {key.decode()}: dtype {array.dtype} is not supported")
            values = np.ascontiguousarray(array, dtype=dtype)
            data.write(values.data)
            crc = masked_crc32c(values)
            entry = Entry(
                _ENUM_OF_DTYPE[dtype], array.shape, 0, offset, values.nbytes, crc, sliced=False
            )
            table[key] = _encode_entry(entry)
            offset += values.nbytes
    with written_whole(f"{os.fspath(prefix)}.index") as part:
        part.write_bytes(encode_table(table))


def _decode_header(message: bytes | None) -> int:
    """BundleHeaderProto: the number of shards."""
    if message is None:
        raise MalformedError("it has no header")
    fields = dict(decode_fields(message))
    if fields.get(2, 0) == _BIG_ENDIAN:
        raise MalformedError("its values are big-endian, which is not supported")
    shards = fields.get(1, 0)
    if not isinstance(shards, int) or shards < 1:
        raise MalformedError(f"its header counts {shards!r} shards")
    return shards


def _encode_header(shards: int) -> bytes:
    version = encode_field(1, _BUNDLE_VERSION)  # VersionDef.producer
    return encode_field(1, shards) + encode_field(3, version)


def _decode_entry(message: bytes) -> Entry:
    """BundleEntryProto."""
    fields: dict[int, int] = {}
    shape: tuple[int, ...] = ()
    sliced = False
    for number, value in decode_fields(message):
        if number == 2 and isinstance(value, bytes):
            shape = _decode_shape(value)
        elif number == 7:
            sliced = True
        elif isinstance(value, int):
            fields[number] = value
    return Entry(
        dtype=fields.get(1, 0),
        shape=shape,
        shard=fields.get(3, 0),
        offset=fields.get(4, 0),
        size=fields.get(5, 0),
        crc32c=fields.get(6, 0),
        sliced=sliced,
    )


def _decode_shape(message: bytes) -> tuple[int, ...]:
    """TensorShapeProto: repeated Dim dim = 2, with int64 size = 1."""
    shape = []
    for number, value in decode_fields(message):
        if number == 2 and isinstance(value, bytes):
            size = dict(decode_fields(value)).get(1, 0)
            if not isinstance(size, int) or size >= 1 << 63:
                raise MalformedError("a tensor has a dimension of unknown size")
            shape.append(size)
    return tuple(shape)


def _encode_entry(entry: Entry) -> bytes:
    dimensions = b"".join(encode_field(2, encode_field(1, size)) for size in entry.shape)
    return (
        encode_field(1, entry.dtype)
        + encode_field(2, dimensions)
        + encode_field(3, entry.shard)
        + encode_field(4, entry.offset)
        + encode_field(5, entry.size)
        + encode_field(6, entry.crc32c, fixed32=True)
    )
