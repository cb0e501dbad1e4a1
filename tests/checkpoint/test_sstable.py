"""LevelDB-style tables: what is written is read, and damage is found."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertsquad.checkpoint.checksum import masked_crc32c
from bertsquad.checkpoint.sstable import encode_table, read_table
from bertsquad.console.errors import UserError

ITEMS = {b"": b"header", b"bert/a": b"1", b"bert/ab": b"", b"cls": b"\xff" * 3}


@settings(deadline=None)
@given(items=st.dictionaries(st.binary(max_size=20), st.binary(max_size=50), max_size=60))
def test_any_items_survive_in_key_order(
    items: dict[bytes, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "table"
    path.write_bytes(encode_table(items))
    assert list(read_table(path).items()) == sorted(items.items())


def test_many_items_fill_several_blocks(tmp_path: Path) -> None:
    items = {f"{n:05d}".encode() + b"x" * 400: b"value" * 20 for n in range(1500)}
    path = tmp_path / "table"
    path.write_bytes(encode_table(items))
    assert path.stat().st_size > 2 * 262_144
    assert read_table(path) == items


def test_every_damaged_byte_is_found(tmp_path: Path) -> None:
    whole, path = encode_table(ITEMS), tmp_path / "table"
    for position in range(len(whole)):
        for bit in (0x01, 0x80):  # 0x80 is the bit that says whether a number goes on
            damaged = bytearray(whole)
            damaged[position] ^= bit
            path.write_bytes(damaged)
            with pytest.raises(UserError, match="table: "):
                read_table(path)


def test_every_truncation_is_found(tmp_path: Path) -> None:
    whole, path = encode_table(ITEMS), tmp_path / "table"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match=r"cut off|fetch it again"):
            read_table(path)


def test_a_compressed_block_is_named_so(tmp_path: Path) -> None:
    whole, path = bytearray(encode_table({b"k": b"v"})), tmp_path / "table"
    size = 3 + 2 + 8  # three lengths, key and value, one restart point and their count
    whole[size] = 1
    whole[size + 1 : size + 5] = masked_crc32c(bytes(whole[: size + 1])).to_bytes(4, "little")
    path.write_bytes(whole)
    with pytest.raises(UserError, match=r"compressed \(snappy\), which is not supported"):
        read_table(path)


def test_the_mask_is_leveldb_s() -> None:
    # leveldb, util/crc32c_test.cc: 32 zero bytes have the CRC-32C 0x8a9136aa.
    crc = 0x8A9136AA
    masked = ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF
    assert masked_crc32c(bytes(32)) == masked
    assert masked_crc32c(bytes(20), bytes(12)) == masked


@pytest.mark.parametrize("content", [None, b"", b"<!DOCTYPE html>" * 20])
def test_what_is_no_table_is_named_so(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "bert_model.ckpt.index"
    if content is not None:
        path.write_bytes(content)
    message = "no such file" if content is None else "not the index of a TensorFlow V2 checkpoint"
    with pytest.raises(UserError, match=message):
        read_table(path)
