"""TensorFlow V2 checkpoints: TensorFlow's own are read, ours are the same, damage is found."""

import contextlib
import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bertsquad.checkpoint import bundle
from bertsquad.checkpoint.sstable import encode_table, read_table
from bertsquad.checkpoint.wire import encode_field
from bertsquad.console.errors import UserError

PREFIXES = {
    "google": "google/bert_model.ckpt",
    "sharded": "sharded/bert_model.ckpt",
    "intel": "intel/model.ckpt-3649",
    "dtypes": "dtypes/model.ckpt",
}
SMALL = {"a/kernel": np.arange(6, dtype="f4").reshape(2, 3), "step": np.int64(7)}


@pytest.mark.parametrize("name", PREFIXES)
def test_what_tensorflow_wrote_is_read(name: str, tf_checkpoints: Path) -> None:
    expected = json.loads((tf_checkpoints / name / "expected.json").read_text())["tensors"]
    checkpoint = bundle.Bundle(tf_checkpoints / PREFIXES[name])
    assert checkpoint.entries.keys() - {"text"} == expected.keys()
    for tensor, (dtype, shape, digest) in expected.items():
        values = checkpoint.read(tensor)
        assert (values.dtype.name, list(values.shape)) == (dtype, shape), tensor
        assert hashlib.sha256(values.tobytes()).hexdigest() == digest, tensor


@pytest.mark.parametrize("name", ["google", "intel"])
def test_we_write_the_bytes_that_tensorflow_writes(
    name: str, tf_checkpoints: Path, tmp_path: Path
) -> None:
    theirs = tf_checkpoints / PREFIXES[name]
    bundle.write(tmp_path / "ours", bundle.read(theirs))
    for suffix in (".index", ".data-00000-of-00001"):
        ours = (tmp_path / f"ours{suffix}").read_bytes()
        assert ours == Path(f"{theirs}{suffix}").read_bytes()


def test_an_index_of_several_blocks(tf_checkpoints: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tf_checkpoints / "many_names/checkpoint.zip") as archive:
        archive.extractall(tmp_path)
    assert (tmp_path / "model.ckpt.index").stat().st_size > 262_144
    tensors = bundle.read(tmp_path / "model.ckpt")
    assert len(tensors) == 1600
    for number in range(800):
        assert tensors[f"{number:04d}/{'long/' * 100}"] == number
        assert tensors[f"bert/encoder/layer_{number}/kernel"].tolist() == [[number], [number]]
    bundle.write(tmp_path / "ours", tensors)
    assert (tmp_path / "ours.index").read_bytes() == (tmp_path / "model.ckpt.index").read_bytes()


@pytest.mark.parametrize("suffix", ["", ".index", ".meta", ".data-00001-of-00003"])
def test_a_checkpoint_is_named_by_its_prefix_or_any_of_its_files(
    suffix: str, tf_checkpoints: Path
) -> None:
    prefix = f"{tf_checkpoints / PREFIXES['sharded']}"
    assert bundle.Bundle(prefix + suffix).prefix == prefix


names = st.text(min_size=1, max_size=12).filter(
    lambda name: name[0] != "\0" and not any("\ud800" <= c <= "\udfff" for c in name)
)
arrays = hnp.arrays(
    dtype=st.sampled_from(["<f4", "<f8", "<f2", "<i8", "<i4", "u1", "?", ">f4", ">i8"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@settings(max_examples=50, deadline=None)  # every example waits for the disk four times
@given(tensors=st.dictionaries(names, arrays, max_size=20))
def test_any_tensors_survive(
    tensors: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    prefix = tmp_path_factory.getbasetemp() / "any"
    bundle.write(prefix, tensors)
    read = bundle.read(prefix)
    assert list(read) == sorted(tensors, key=str.encode)
    for name, values in tensors.items():
        assert read[name].dtype == values.dtype.newbyteorder("<")
        assert read[name].shape == values.shape
        assert read[name].tobytes() == values.astype(values.dtype.newbyteorder("<")).tobytes()


def test_the_same_tensors_in_any_order_and_layout_give_the_same_bytes(tmp_path: Path) -> None:
    bundle.write(tmp_path / "one", SMALL)
    transposed = np.asfortranarray(SMALL["a/kernel"])
    bundle.write(tmp_path / "two", {"step": SMALL["step"], "a/kernel": transposed})
    for suffix in (".index", ".data-00000-of-00001"):
        one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_every_damaged_byte_is_found(suffix: str, tmp_path: Path) -> None:
    bundle.write(tmp_path / "small", SMALL)
    path = tmp_path / f"small{suffix}"
    whole = path.read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=path.name):
            bundle.read(tmp_path / "small")


def test_a_damaged_tensor_is_named(tf_checkpoints: Path, tmp_path: Path) -> None:
    shutil.copytree(tf_checkpoints / "google", tmp_path, dirs_exist_ok=True)
    checkpoint = bundle.Bundle(tmp_path / "bert_model.ckpt")
    shard = tmp_path / "bert_model.ckpt.data-00000-of-00001"
    values = bytearray(shard.read_bytes())
    values[checkpoint.entries["bert/pooler/dense/kernel"].offset + 5] ^= 0x10
    shard.write_bytes(values)
    with pytest.raises(UserError) as error:
        checkpoint.read("bert/pooler/dense/kernel")
    assert f"{shard}: tensor bert/pooler/dense/kernel is damaged" in str(error.value)
    checkpoint.read("bert/pooler/dense/bias")


def test_a_missing_shard_is_named(tf_checkpoints: Path, tmp_path: Path) -> None:
    shutil.copytree(tf_checkpoints / "sharded", tmp_path, dirs_exist_ok=True)
    shard = tmp_path / "bert_model.ckpt.data-00001-of-00003"
    shard.unlink()
    with pytest.raises(UserError) as error:
        bundle.Bundle(tmp_path / "bert_model.ckpt")
    assert str(error.value).startswith(f"{shard}: no such file; ")
    assert "3 shard(s)" in str(error.value)


def test_a_truncated_shard_is_named_before_anything_is_read(
    tf_checkpoints: Path, tmp_path: Path
) -> None:
    shutil.copytree(tf_checkpoints / "sharded", tmp_path, dirs_exist_ok=True)
    shard = tmp_path / "bert_model.ckpt.data-00002-of-00003"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"00002-of-00003: cut off: 1,951 bytes, but tensor"):
        bundle.Bundle(tmp_path / "bert_model.ckpt")


def test_a_partitioned_variable_is_refused_and_others_are_read(tf_checkpoints: Path) -> None:
    checkpoint = bundle.Bundle(tf_checkpoints / "partitioned/model.ckpt")
    assert checkpoint.shapes == {"parted": (12,), "whole": (3,)}
    assert checkpoint.read("whole").tolist() == [0, 1, 2]
    with pytest.raises(UserError, match=r"tensor parted is stored in parts"):
        checkpoint.read("parted")


def test_text_is_refused(tf_checkpoints: Path) -> None:
    checkpoint = bundle.Bundle(tf_checkpoints / "dtypes/model.ckpt")
    with pytest.raises(UserError, match="tensor text holds string values; expected numbers"):
        checkpoint.read("text")


def entry(**changes: int | bytes) -> bytes:
    """An entry of four float32 values, with some fields changed."""
    size = encode_field(2, encode_field(1, 4))
    fields = {"dtype": 1, "shape": size, "shard": 0, "offset": 0, "size": 16, "crc32c": 1} | changes
    return b"".join(encode_field(number, value) for number, value in enumerate(fields.values(), 1))


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({b"a": entry()}, "it has no header"),
        ({b"": encode_field(1, 1) + encode_field(2, 1)}, "big-endian, which is not supported"),
        ({b"": b""}, "its header counts 0 shards"),
        ({b"": b"\x08"}, "not a checkpoint's index: a number is cut off"),
        ({b"": encode_field(1, 1), b"\xff": entry()}, "not a checkpoint's index"),
        ({b"": encode_field(1, 1), b"a": entry(shard=1)}, "tensor a is in shard 1 of 1"),
        ({b"": encode_field(1, 1), b"a": entry(dtype=99)}, "tensor a holds type 99 values"),
        ({b"": encode_field(1, 1), b"a": entry(size=8)}, "has 8 bytes; expected 16"),
        ({b"": encode_field(1, 1), b"a": entry(shape=b"\x12\x0b\x08" + b"\xff" * 9 + b"\x01")},
         "a dimension of unknown size"),
    ],
)  # fmt: skip
def test_a_whole_index_that_makes_no_sense_is_refused(
    items: dict[bytes, bytes], message: str, tmp_path: Path
) -> None:
    (tmp_path / "odd.index").write_bytes(encode_table(items))
    (tmp_path / "odd.data-00000-of-00001").write_bytes(bytes(16))
    with pytest.raises(UserError, match=r"odd\.index: ") as error:
        bundle.read(tmp_path / "odd")
    assert message in str(error.value)


@settings(deadline=None)
@given(values=st.dictionaries(st.binary(max_size=6), st.binary(max_size=20), max_size=4))
def test_any_table_is_a_checkpoint_or_refused(
    values: dict[bytes, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    prefix = tmp_path_factory.getbasetemp() / "table_as_checkpoint"
    Path(f"{prefix}.index").write_bytes(encode_table({b"": encode_field(1, 1)} | values))
    Path(f"{prefix}.data-00000-of-00001").write_bytes(bytes(16))
    with contextlib.suppress(UserError):
        bundle.read(prefix)


@pytest.mark.parametrize(
    "tensors", [{"": np.zeros(1)}, {"\0a": np.zeros(1)}, {"a": np.array(["text"])}]
)
def test_what_a_checkpoint_cannot_hold_is_not_written(
    tensors: dict[str, np.ndarray], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"cannot name a tensor|is not supported"):
        bundle.write(tmp_path / "never", tensors)
    assert list(tmp_path.iterdir()) == []


def test_the_header_is_the_first_entry(tf_checkpoints: Path) -> None:
    table = read_table(tf_checkpoints / "google/bert_model.ckpt.index")
    assert next(iter(table)) == b""
