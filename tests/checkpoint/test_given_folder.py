"""A model's folder as transformers writes it, in all its forms, becomes the same four files."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from transformers import BertTokenizerFast

from bertsquad.checkpoint.conversion import convert
from bertsquad.checkpoint.given_folder import find_parts
from bertsquad.checkpoint.tokenizer_json import read_casing, read_normalizer, read_tokens
from bertsquad.console.errors import UserError
from tiny_bert import write_model_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with vocab.txt and one file of weights."""
    return write_model_folder(tmp_path / "given")


def as_tokenizer_json(folder: Path, *, lowercase: bool, strip_accents: bool | None = None) -> None:
    """The vocabulary as fast tokenizers save it, without the slow one's two files."""
    fast = BertTokenizerFast(
        str(folder / "vocab.txt"), do_lower_case=lowercase, strip_accents=strip_accents
    )
    fast.save_pretrained(folder)
    for name in ("vocab.txt", "tokenizer_config.json"):
        (folder / name).unlink(missing_ok=True)


def test_the_parts_of_a_folder_are_found(folder: Path) -> None:
    parts = find_parts(folder)
    assert (parts.config, parts.vocabulary) == (folder / "config.json", folder / "vocab.txt")
    assert parts.weights == (folder / "model.safetensors",)
    assert parts.beside == (folder / "tokenizer_config.json",)


def test_a_tokenizer_json_alone_is_the_vocabulary(folder: Path) -> None:
    tokens = read_tokens(folder / "vocab.txt")
    as_tokenizer_json(folder, lowercase=False)
    parts = find_parts(folder)
    assert parts.vocabulary == folder / "tokenizer.json"
    assert read_tokens(parts.vocabulary) == tokens


@pytest.mark.parametrize(
    ("lowercase", "strip_accents"), [(True, None), (False, None), (True, False), (False, True)]
)
def test_conversion_reads_casing_from_a_tokenizer_json(
    folder: Path, lowercase: bool, strip_accents: bool | None, tmp_path: Path
) -> None:
    whole = shutil.copytree(folder, tmp_path / "whole")
    as_tokenizer_json(folder, lowercase=lowercase, strip_accents=strip_accents)
    for given in (folder, whole):
        parts = find_parts(given)
        output = tmp_path / f"made-{given.name}"
        convert(parts.weights[0], parts.config, parts.vocabulary, output, origin="huggingface")
    made = json.loads((tmp_path / "made-given/tokenizer_config.json").read_text())
    assert made["do_lower_case"] is lowercase
    assert made.get("strip_accents", lowercase) is (
        lowercase if strip_accents is None else strip_accents
    )
    assert "guessed_from_vocabulary" not in made
    for name in ("vocab.txt", "config.json", "model.safetensors"):
        one, other = tmp_path / "made-given" / name, tmp_path / "made-whole" / name
        assert one.read_bytes() == other.read_bytes()
    assert "bert.pooler.dense.bias" in load_file(tmp_path / "made-given/model.safetensors")


def test_tokenizer_config_comes_before_tokenizer_json(folder: Path) -> None:
    as_tokenizer_json(folder, lowercase=False)
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    tokens = read_tokens(folder / "tokenizer.json")
    assert read_casing(folder / "tokenizer.json", tokens).lowercase
    assert read_normalizer(folder / "tokenizer.json").lowercase is False


def edited(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        as_tokenizer_json(folder, lowercase=True)
        content = json.loads((folder / "tokenizer.json").read_text())
        change(content)
        (folder / "tokenizer.json").write_text(json.dumps(content))

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (shutil.rmtree, "no such folder; expected a model's folder"),
        (lambda folder: (folder / "config.json").unlink(), "no config.json in it; expected"),
        (
            lambda folder: (folder / "config.json").rename(folder / "bert_config.json"),
            "convert_checkpoint.py",
        ),
        (lambda folder: (folder / "vocab.txt").unlink(), "neither vocab.txt nor tokenizer.json"),
        (
            lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
            "pytorch_model.bin is pickled, and loading it can run code",
        ),
        (
            lambda folder: (folder / "model.safetensors").rename(folder / "model.safetensors.x"),
            "neither model.safetensors nor model.safetensors.index.json in it",
        ),
    ],
)
def test_what_is_missing_is_named(folder: Path, edit: Callable[[Path], None], message: str) -> None:
    edit(folder)
    with pytest.raises(UserError) as caught:
        find_parts(folder)
    assert message in str(caught.value)


def test_a_file_of_an_index_that_is_missing_is_named(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"bert.a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match=r"model-00001-of-00002\.safetensors: no such file"):
        find_parts(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["model"].update(type="BPE"), "a tokenizer of the kind 'BPE'"),
        (lambda content: content.update(model=3), "expected WordPiece"),
        (lambda content: content["model"].update(vocab={"[PAD]": 0}), "no [UNK], [CLS], [SEP]"),
        (lambda content: content["model"]["vocab"].update(twice=0), "both have the number 0"),
        (lambda content: content["model"]["vocab"].update(far=2**40), "has the number 1099511"),
        (lambda content: content["model"]["vocab"].update({"a b\n": 64}), "has white space"),
    ],
)
def test_a_tokenizer_json_of_another_kind_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    edited(change)(folder)
    with pytest.raises(UserError) as caught:
        read_tokens(folder / "tokenizer.json")
    assert message in str(caught.value)


def test_what_looks_like_a_hub_s_name_gets_the_command_that_fetches_it() -> None:
    with pytest.raises(UserError, match="bertsquad fetch-model --hub org/mine --output DIR"):
        find_parts("org/mine")
    with pytest.raises(UserError) as caught:
        find_parts("/nowhere/org/mine")
    assert "fetch-model" not in str(caught.value)
