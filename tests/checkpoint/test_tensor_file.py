"""Safetensors files, one tensor at a time."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from bertsquad.checkpoint.tensor_file import TensorFile, write_float32
from bertsquad.errors import UserError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save, save_file
from safetensors.torch import save_file as save_torch_file

arrays = hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))


@settings(deadline=None)
@given(tensors=st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), arrays))
def test_the_library_reads_and_would_have_written_the_same_bytes(
    tensors: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tensors.pop("__metadata__", None)
    path = tmp_path_factory.getbasetemp() / "written.safetensors"
    shapes = {name: values.shape for name, values in tensors.items()}
    write_float32(path, shapes, tensors.__getitem__)
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
    file = TensorFile(tmp_path / "all.safetensors")
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
        ("model.safetensors", b"", "not a safetensors file"),
        ("model.safetensors", b"<!DOCTYPE html><html>", "not a safetensors file"),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1", "not a safetensors"),
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
        TensorFile(path).read("a")
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_every_truncation_is_found(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": np.arange(4, dtype="f4"), "b": np.ones((2, 2), "f4")}, path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError):
            TensorFile(path)
