"""Weights in several safetensors files are those of one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForQuestionAnswering

from bertsquad.checkpoint.conversion import convert
from bertsquad.checkpoint.shards import open_weights
from bertsquad.checkpoint.weight_files import INDEX, files_of
from bertsquad.console.errors import UserError

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n"


def saved(folder: Path, *, dtype: torch.dtype = torch.float32, shard: str = "1TB") -> Any:
    """A tiny model as transformers saves it, in files of at most `shard`."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=12,
    )
    model = BertForQuestionAnswering(config).to(dtype).eval()
    model.save_pretrained(folder, max_shard_size=shard)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"t{number}" for number in range(26))]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n")
    return model


def converted(folder: Path, output: Path) -> dict[str, torch.Tensor]:
    """The tensors of a folder after conversion."""
    config, vocabulary = folder / "config.json", folder / "vocab.txt"
    convert(folder, config, vocabulary, output, origin="huggingface", casing="uncased")
    tensors: dict[str, torch.Tensor] = load_file(output / "model.safetensors")
    return tensors


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("shard", ["1TB", "5KB"])
def test_one_file_or_several_of_any_float_type_become_one_of_float32(
    dtype: torch.dtype, shard: str, tmp_path: Path
) -> None:
    model = saved(tmp_path / "given", dtype=dtype, shard=shard)
    assert (tmp_path / "given" / INDEX).exists() is (shard == "5KB")
    tensors = converted(tmp_path / "given", tmp_path / "made")
    expected = {name: values.float() for name, values in model.state_dict().items()}
    assert tensors.keys() == expected.keys()
    for name, values in expected.items():
        assert tensors[name].dtype == torch.float32
        assert torch.equal(tensors[name], values)


def test_an_index_and_its_folder_are_the_same_and_name_their_files(tmp_path: Path) -> None:
    saved(tmp_path, shard="5KB")
    folder, index = open_weights(tmp_path), open_weights(tmp_path / INDEX)
    assert folder.shapes == index.shapes
    assert folder.shapes["qa_outputs.weight"] == (2, 16)
    for name in folder.shapes:
        np.testing.assert_array_equal(folder.read(name), index.read(name), strict=True)
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 2
    assert files_of(tmp_path) == [tmp_path / INDEX, *shards]


def test_one_file_counts_where_an_index_lies_beside_it(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / INDEX).write_text("{}")
    assert files_of(tmp_path) == [tmp_path / "model.safetensors"]
    assert open_weights(tmp_path).shapes["qa_outputs.bias"] == (2,)


def test_a_tensor_counts_where_the_index_says_that_it_is(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2), "b": torch.zeros(1)}, tmp_path / "one.safetensors")
    save_file({"a": torch.ones(3), "c": torch.ones(1)}, tmp_path / "two.safetensors")
    weight_map = {"a": "two.safetensors", "b": "one.safetensors"}
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": weight_map}))
    found = open_weights(tmp_path)
    assert found.shapes == {"a": (3,), "b": (1,)}
    np.testing.assert_array_equal(found.read("a"), np.ones(3, "f4"), strict=True)


def with_map(weight_map: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))

    return change


SHARD = "model-00002-of-00003.safetensors"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / INDEX).unlink(), f"neither model.safetensors nor {INDEX} in it"),
        (lambda folder: (folder / INDEX).write_text("[]"), "no weight_map"),
        (lambda folder: (folder / INDEX).write_text("{"), "not valid JSON"),
        (lambda folder: (folder / INDEX).write_bytes(POINTER), "a git-lfs pointer"),
        (with_map({}), "no weight_map"),
        (with_map({"a": 1}), "tensor a is in 1; expected the name"),
        (with_map({"a": "../other.safetensors"}), "expected the name of a .safetensors file"),
        (with_map({"a": "/etc/x.safetensors"}), "expected the name of a .safetensors file"),
        (with_map({"a": "pytorch_model-1.bin"}), "expected the name of a .safetensors file"),
        (with_map({"a": "x" * 5000 + ".safetensors"}), "expected the name of a .safetensors"),
        (with_map({"a": "\ud800.safetensors"}), "expected the name of a .safetensors"),
        (with_map({"a": ".\0.safetensors"}), "expected the name of a .safetensors"),
        (with_map({"nothing": SHARD}), f"{SHARD}: no tensor nothing; "),
        (lambda folder: (folder / SHARD).unlink(), f"{SHARD}: no such file; "),
        (lambda folder: (folder / SHARD).write_bytes(POINTER), f"{SHARD}: a git-lfs pointer"),
        (lambda folder: (folder / SHARD).write_bytes(b"\0" * 100), f"{SHARD}: not a whole safe"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_folder_is_one_line_and_nothing_is_written(
    change: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    given = tmp_path / "given"
    saved(given, shard="6KB")
    for path in given.glob("model-*"):  # however many files: the second's name is known
        renamed = path.with_name(path.name.split("-of-")[0] + "-of-00003.safetensors")
        path.rename(renamed)
    index = json.loads((given / INDEX).read_text())
    index["weight_map"] = {
        tensor: name.split("-of-")[0] + "-of-00003.safetensors"
        for tensor, name in index["weight_map"].items()
    }
    (given / INDEX).write_text(json.dumps(index))
    change(given)
    with pytest.raises(UserError) as error:
        converted(given, tmp_path / "made")
    assert message in str(error.value)
    assert not (tmp_path / "made").exists() or not list((tmp_path / "made").iterdir())


def test_pickled_weights_are_named(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"pytorch_model\.bin is pickled, and loading it can run"):
        open_weights(tmp_path)
