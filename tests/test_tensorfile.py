"""Arrays in a safetensors file."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open
from safetensors.numpy import load_file, save, save_file
from safetensors.torch import save_file as save_torch_file

from bertsquad import tensorfile
from bertsquad.console.errors import UserError

ARRAYS = {
    "a": np.arange(5, dtype=np.uint16),
    "b": np.arange(6, dtype=np.int64).reshape(2, 3),
    "c": np.zeros((0, 4), np.float32),
    "d": np.array(7.5),
    "e": np.array([True, False]),
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    tensorfile.write(tmp_path / "x.safetensors", ARRAYS, {"k": "ä\n"})
    arrays, metadata = tensorfile.read(tmp_path / "x.safetensors")
    assert metadata == {"k": "ä\n"}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        assert np.array_equal(arrays[name], array)


def test_equal_arrays_give_equal_bytes_in_any_order(tmp_path: Path) -> None:
    texts = {str(n): "" for n in range(20)}
    tensorfile.write(tmp_path / "one", ARRAYS, texts)
    backwards = dict(reversed(ARRAYS.items())), dict(reversed(texts.items()))
    tensorfile.write(tmp_path / "two", *backwards)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_library_reads_our_files_and_we_read_its(tmp_path: Path) -> None:
    tensorfile.write(tmp_path / "ours", ARRAYS, {"k": "v"})
    with safe_open(tmp_path / "ours", framework="numpy") as file:
        assert file.metadata() == {"k": "v"}
        for name, array in ARRAYS.items():
            assert np.array_equal(file.get_tensor(name), array)
    save_file(ARRAYS, tmp_path / "theirs")
    arrays, metadata = tensorfile.read(tmp_path / "theirs")
    assert metadata == {}
    assert all(np.array_equal(arrays[name], array) for name, array in ARRAYS.items())


def test_a_checked_file_gives_back_what_was_written(tmp_path: Path) -> None:
    tensorfile.write_checked(tmp_path / "x", ARRAYS, {"k": "v"})
    arrays, metadata = tensorfile.read_checked(tmp_path / "x")
    assert metadata == {"k": "v"}
    assert all(np.array_equal(arrays[name], array) for name, array in ARRAYS.items())


def test_any_changed_byte_of_a_checked_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x"
    tensorfile.write_checked(path, ARRAYS, {"k": "v"})
    whole = path.read_bytes()
    values = 8 + int.from_bytes(whole[:8], "little")
    for place in [*range(whole.rindex(b"}", 0, values) + 1), *range(values, len(whole))]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 7
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="x: "):
            tensorfile.read_checked(path)


def test_a_file_without_a_checksum_is_not_a_checked_one(tmp_path: Path) -> None:
    tensorfile.write(tmp_path / "x", ARRAYS, {"k": "v"})
    with pytest.raises(UserError, match="x: without a checksum"):
        tensorfile.read_checked(tmp_path / "x")


def test_arrays_are_views_of_the_mapped_file(tmp_path: Path) -> None:
    tensorfile.write(tmp_path / "x", ARRAYS, {})
    arrays, _ = tensorfile.read(tmp_path / "x")
    assert not any(array.flags.owndata or array.flags.writeable for array in arrays.values())
    assert all(array.flags.aligned for array in arrays.values())


@pytest.mark.parametrize("size", [0, 7, 8, 100, -1])
def test_a_file_cut_short_is_a_user_error(size: int, tmp_path: Path) -> None:
    path = tmp_path / "x"
    tensorfile.write(path, ARRAYS, {})
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(UserError, match=r"x: .*make or fetch it again"):
        tensorfile.read(path)


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html></html>",
        b"\2\0\0\0\0\0\0\0[]",
        b'\x08\0\0\0\0\0\0\0{"a": 1}',
        b"\xff" * 64,
    ],
)
def test_another_file_is_a_user_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UserError, match="not a whole safetensors file"):
        tensorfile.read(tmp_path / "x")


def test_a_missing_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        tensorfile.read(tmp_path / "x")


arrays = hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))


@given(tensors=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), arrays))
def test_the_library_reads_and_would_have_written_the_same_bytes(
    tensors: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tensors.pop("__metadata__", None)
    path = tmp_path_factory.getbasetemp() / "written.safetensors"
    tensorfile.write(path, tensors, {"format": "pt"})
    read = load_file(path)
    assert read.keys() == tensors.keys()
    for name, values in tensors.items():
        assert read[name].shape == values.shape
        assert read[name].tobytes() == values.tobytes()
    assert path.read_bytes() == save(tensors, metadata={"format": "pt"})


def test_all_types_that_weights_come_in(tmp_path: Path) -> None:
    values = torch.tensor([[1.5, -2.25], [0.1, 3.0]])
    tensors = {
        str(dtype).removeprefix("torch."): values.to(dtype)
        for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64)
    }
    save_torch_file(tensors, tmp_path / "all.safetensors")
    file = tensorfile.TensorFile(tmp_path / "all.safetensors")
    for name, expected in tensors.items():
        if expected.dtype == torch.bfloat16:
            expected = expected.float()
        assert file.shapes[name] == (2, 2)
        np.testing.assert_array_equal(file.read(name), expected.numpy(), strict=True)


def header(**entries: object) -> bytes:
    encoded = json.dumps(entries).encode()
    return len(encoded).to_bytes(8, "little") + encoded


WHOLE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", None, "no such file"),
        ("model.safetensors", b"", "not a whole safetensors file"),
        ("model.safetensors", b"<!DOCTYPE html><html>", "not a whole safetensors file"),
        (
            "model.safetensors",
            b"version https://git-lfs.github.com/spec/v1",
            "a git-lfs pointer",
        ),
        ("model.safetensors", b"\x02" + bytes(7) + b"[]", "header is not a JSON object"),
        ("model.safetensors", header(a=WHOLE)[:-3], "its header should have"),
        ("model.safetensors", header(a=WHOLE) + bytes(7), "has 7 bytes of values, and should have"),
        ("model.safetensors", header(a=WHOLE) + bytes(9), "has 9 bytes of values, and should have"),
        ("model.safetensors", header(a=WHOLE, b=WHOLE) + bytes(8), "leave a gap or overlap"),
        ("model.safetensors", header(a={"dtype": "F32"}), "describes tensor a wrongly"),
        ("model.safetensors", header(a=WHOLE | {"shape": [-2]}), "describes tensor a wrongly"),
        ("model.safetensors", header(a=WHOLE | {"shape": [3]}) + bytes(8), "has 8 bytes; expected"),
        ("model.safetensors", header(a=WHOLE | {"dtype": "F8_E4M3"}) + bytes(8), "dtype F8_E4M3"),
        ("pytorch_model.bin", b"PK\x03\x04" + bytes(60), "pickled PyTorch weights are not"),
        ("model.safetensors.index.json", b"{}", "split over several files"),
    ],
)
def test_a_bad_file_is_one_clear_line(
    name: str, content: bytes | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as error:
        tensorfile.TensorFile(path).read("a")
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_every_truncation_is_found(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": np.arange(4, dtype="f4"), "b": np.ones((2, 2), "f4")}, path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError):
            tensorfile.TensorFile(path)
