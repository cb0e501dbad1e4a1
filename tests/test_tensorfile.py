"""Arrays in a safetensors file."""

from pathlib import Path

import numpy as np
import pytest
from bertsquad import tensorfile
from bertsquad.errors import UserError
from safetensors import safe_open
from safetensors.numpy import save_file

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
    with pytest.raises(UserError, match=r"x: .*make it again"):
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
