"""A git-lfs pointer is refused by its name wherever data are read, not called truncated."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bertsquad.artifacts.archive import extract_member
from bertsquad.checkpoint.bundle import Bundle
from bertsquad.console.errors import UserError
from bertsquad.data.vocabulary import read_vocabulary
from bertsquad.files import read_json
from bertsquad.model.folder import StoredTensors
from bertsquad.tensorfile import TensorFile
from tiny_bert import write_model_folder

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


def read_shard(path: Path) -> None:
    index = Path(__file__).parent / "fixtures/tf_checkpoints/google/bert_model.ckpt.index"
    shutil.copyfile(index, path.with_name("bert_model.ckpt.index"))
    Bundle(path.with_name("bert_model.ckpt"))


def read_folder(path: Path) -> None:
    write_model_folder(path.parent / "made")
    shutil.copyfile(path.parent / "made/config.json", path.with_name("config.json"))
    StoredTensors(path.parent)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("dev.json", read_json),
        ("vocab.txt", read_vocabulary),
        ("features.safetensors", TensorFile),
        ("pytorch_model.bin", TensorFile),
        ("model.safetensors", read_folder),
        ("bert_model.ckpt.index", Bundle),
        ("bert_model.ckpt.data-00000-of-00001", read_shard),
        ("bert.zip", lambda path: extract_member(path, "vocab.txt", path.with_name("out"))),
    ],
)
def test_it_is_named_in_one_line(name: str, read: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(POINTER)
    with pytest.raises(UserError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: a git-lfs pointer of a few lines, not the file")
    assert "\n" not in str(error.value)


def test_a_text_that_only_speaks_of_git_lfs_is_none(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.write_text(json.dumps({"note": POINTER.decode()}))
    assert read_json(path) == {"note": POINTER.decode()}
