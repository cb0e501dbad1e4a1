"""Sorted tables of keys and values as LevelDB and TensorFlow write them.

Format: leveldb's doc/table_format.md; TensorFlow's copy is tensorflow/core/lib/io/table*.cc. A
file is data blocks, an empty meta-index block, an index block and a footer, without gaps.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from bertsquad.checkpoint.checksum import masked_crc32c
from bertsquad.checkpoint.wire import MalformedError, decode_varint, encode_varint
from bertsquad.console.errors import UserError
from bertsquad.files import refuse_lfs_pointer

_MAGIC = 0xDB4775248B80FB57
_FOOTER_SIZE = 48  # two block handles, padded to 40 bytes, and the magic number
_TRAILER_SIZE = 5  # one byte that names the compression, and a checksum
_NO_COMPRESSION = 0
_COMPRESSIONS = {1: "snappy", 2: "zstd"}
_BLOCK_SIZE = 262_144  # bytes; TensorFlow's table::Options
_RESTART_INTERVAL = 16  # keys between two that are stored in full


class UnsupportedError(MalformedError):
    """A table that is whole, but written in a way that is not read here."""


def read_table(path: str | os.PathLike[str]) -> dict[bytes, bytes]:
    """All keys and values, in key order. Every block's checksum is verified.

    Raises `UserError` when the file is missing, is not a table, is damaged, or is compressed.
    """
    try:
        data = Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no such file; expected a TensorFlow checkpoint index") from None
    if len(data) < _FOOTER_SIZE or int.from_bytes(data[-8:], "little") != _MAGIC:
        refuse_lfs_pointer(path)
        raise UserError(
            f"{path}: not the index of a TensorFlow V2 checkpoint, or one that is cut off "
            f"({len(data):,} bytes without the closing mark); fetch it again"
        )
    try:
        return dict(_entries(data))
    except UnsupportedError as error:
        raise UserError(f"{path}: {error}") from None
    except MalformedError as error:
        raise UserError(f"{path}: damaged: {error}; fetch it again") from None


def _entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = data[-_FOOTER_SIZE:-8]
    meta_handle, position = _decode_handle(footer, 0)
    index_handle, position = _decode_handle(footer, position)
    if footer != _encode_footer(meta_handle, index_handle):
        raise MalformedError("its footer is not as a writer would leave it")
    # Blocks follow each other without gaps: a damaged position in the footer, which no checksum
    # covers, cannot go unnoticed.
    _check_adjacent(index_handle, len(data) - _FOOTER_SIZE)
    _check_adjacent(meta_handle, index_handle[0])
    _read_block(data, meta_handle)
    expected, previous = 0, None
    for _, handle in _decode_block(_read_block(data, index_handle)):
        block_handle, _ = _decode_handle(handle, 0)
        if block_handle[0] != expected:
            raise MalformedError(f"a block starts at byte {block_handle[0]}, not {expected}")
        expected = sum(block_handle) + _TRAILER_SIZE
        for key, value in _decode_block(_read_block(data, block_handle)):
            if previous is not None and key <= previous:
                raise MalformedError(f"key {key!r} is not in order")
            previous = key
            yield key, value
    if expected != meta_handle[0]:
        raise MalformedError(f"the last block ends at byte {expected}, not {meta_handle[0]}")


def _check_adjacent(handle: tuple[int, int], end: int) -> None:
    if sum(handle) + _TRAILER_SIZE != end:
        raise MalformedError(f"a block ends at byte {sum(handle) + _TRAILER_SIZE}, not {end}")


def _decode_handle(data: bytes, position: int) -> tuple[tuple[int, int], int]:
    offset, position = decode_varint(data, position)
    size, position = decode_varint(data, position)
    return (offset, size), position


def _read_block(data: bytes, handle: tuple[int, int]) -> bytes:
    offset, size = handle
    if offset + size + _TRAILER_SIZE > len(data) - _FOOTER_SIZE:
        raise MalformedError(f"a block at byte {offset} leaves the file")
    covered = data[offset : offset + size + 1]
    trailer = data[offset + size : offset + size + _TRAILER_SIZE]
    found, expected = masked_crc32c(covered), int.from_bytes(trailer[1:], "little")
    if found != expected:
        raise MalformedError(
            f"the block at byte {offset} has checksum {found:08x}, expected {expected:08x}"
        )
    if trailer[0] != _NO_COMPRESSION:
        kind = _COMPRESSIONS.get(trailer[0], f"method {trailer[0]}")
        raise UnsupportedError(
            f"compressed ({kind}), which is not supported; TensorFlow's own writer does not "
            "compress, so save the checkpoint again with it"
        )
    return covered[:-1]


def _decode_block(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """An entry holds: shared key bytes, new key bytes, value bytes (varints), new key, value."""
    if len(block) < 4:
        raise MalformedError("a block is too short")
    end = len(block) - 4 * (1 + int.from_bytes(block[-4:], "little"))
    if end < 0:
        raise MalformedError("a block has more restart points than room")
    key, position = b"", 0
    while position < end:
        shared, position = decode_varint(block, position)
        unshared, position = decode_varint(block, position)
        value_size, position = decode_varint(block, position)
        value_at = position + unshared
        if shared > len(key) or value_at + value_size > end:
            raise MalformedError("an entry leaves its block")
        key = key[:shared] + block[position:value_at]
        position = value_at + value_size
        yield key, block[value_at:position]


def encode_table(items: Mapping[bytes, bytes]) -> bytes:
    """The bytes of a table, the same that TensorFlow writes for these items."""
    table, block, index = bytearray(), _BlockBuilder(_RESTART_INTERVAL), _BlockBuilder(1)
    handle, last = None, b""
    for key in sorted(items):
        if handle is not None:
            index.add(_shortest_separator(last, key), _encode_handle(handle))
            handle = None
        block.add(key, items[key])
        last = key
        if block.size() >= _BLOCK_SIZE:
            handle, block = _append_block(table, block), _BlockBuilder(_RESTART_INTERVAL)
    if block.size() > _BlockBuilder(_RESTART_INTERVAL).size():
        handle = _append_block(table, block)
    meta_handle = _append_block(table, _BlockBuilder(_RESTART_INTERVAL))
    if handle is not None:
        index.add(_short_successor(last), _encode_handle(handle))
    footer = _encode_footer(meta_handle, _append_block(table, index))
    return bytes(table) + footer + _MAGIC.to_bytes(8, "little")


def _encode_handle(handle: tuple[int, int]) -> bytes:
    return encode_varint(handle[0]) + encode_varint(handle[1])


def _encode_footer(meta_handle: tuple[int, int], index_handle: tuple[int, int]) -> bytes:
    handles = _encode_handle(meta_handle) + _encode_handle(index_handle)
    return handles.ljust(_FOOTER_SIZE - 8, b"\0")


def _append_block(table: bytearray, block: "_BlockBuilder") -> tuple[int, int]:
    """Append a block and its trailer; where it is, and its size without the trailer."""
    contents = block.finish()
    handle = (len(table), len(contents))
    covered = contents + bytes([_NO_COMPRESSION])
    table += covered + masked_crc32c(covered).to_bytes(4, "little")
    return handle


class _BlockBuilder:
    """Collects entries; a key shares its beginning with the one before, except at restarts."""

    def __init__(self, restart_interval: int) -> None:
        self.restart_interval = restart_interval
        self.contents = bytearray()
        self.restarts = [0]
        self.since_restart = 0
        self.last = b""

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self.since_restart < self.restart_interval:
            shared = _common_prefix(self.last, key)
        else:
            self.restarts.append(len(self.contents))
            self.since_restart = 0
        lengths = (shared, len(key) - shared, len(value))
        self.contents += b"".join(map(encode_varint, lengths)) + key[shared:] + value
        self.last = key
        self.since_restart += 1

    def size(self) -> int:
        return len(self.contents) + 4 * len(self.restarts) + 4

    def finish(self) -> bytes:
        numbers = [*self.restarts, len(self.restarts)]
        return bytes(self.contents) + b"".join(n.to_bytes(4, "little") for n in numbers)


def _shortest_separator(start: bytes, limit: bytes) -> bytes:
    """A short key k with start <= k < limit (leveldb, util/comparator.cc)."""
    at = _common_prefix(start, limit)
    if at < min(len(start), len(limit)) and start[at] + 1 < limit[at]:
        return start[:at] + bytes([start[at] + 1])
    return start


def _short_successor(key: bytes) -> bytes:
    """A short key k >= key (leveldb, util/comparator.cc)."""
    for at, byte in enumerate(key):
        if byte != 0xFF:
            return key[:at] + bytes([byte + 1])
    return key


def _common_prefix(first: bytes, second: bytes) -> int:
    """How many bytes the two begin with in common."""
    for at, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return at
    return min(len(first), len(second))
