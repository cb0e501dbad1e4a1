"""Who says how text is read: the caller, tokenizer_config.json, else the vocabulary's capitals."""

import json
from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from bertsquad.data.casing import Casing, find_casing
from bertsquad.data.tokenization import Vocabulary, basic_tokens

LOWER = ["[CLS]", "the", "##s"]


def test_the_caller_is_heard_before_the_file_and_the_file_before_the_capitals(
    tmp_path: Path,
) -> None:
    vocab = tmp_path / "vocab.txt"
    assert find_casing(vocab, LOWER) == Casing(True, True, guessed=True)
    assert find_casing(vocab, ["The"]) == Casing(False, False, guessed=True)
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    assert find_casing(vocab, LOWER) == Casing(False, False)
    assert find_casing(vocab, LOWER, casing="uncased") == Casing(True, True)
    assert find_casing(vocab, LOWER, strip_accents=True) == Casing(False, True)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, Casing(True, True, guessed=True)),
        ({"do_lower_case": True, "strip_accents": None}, Casing(True, True)),
        ({"do_lower_case": True, "strip_accents": False}, Casing(True, False)),
        ({"strip_accents": False}, Casing(True, False, guessed=True)),
        (
            {"do_lower_case": False, "guessed_from_vocabulary": True},
            Casing(False, False, guessed=True),
        ),
    ],
)
def test_what_tokenizer_config_says(settings: dict, found: Casing, tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    assert find_casing(tmp_path / "vocab.txt", LOWER) == found


@pytest.mark.parametrize("text", ["[]", '{"do_lower_case": "yes"}', '{"strip_accents": 1}'])
def test_a_tokenizer_config_of_another_kind_is_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text(text)
    with pytest.raises(UserError, match=r"tokenizer_config\.json: .*expected"):
        find_casing(tmp_path / "vocab.txt", LOWER)


def test_accents_are_kept_or_dropped_apart_from_capitals(tmp_path: Path) -> None:
    assert basic_tokens("Élan", lowercase=True) == ["elan"]
    assert basic_tokens("Élan", lowercase=True, strip_accents=False) == ["élan"]
    assert basic_tokens("Élan", lowercase=False, strip_accents=True) == ["Elan"]
    assert basic_tokens("Élan", lowercase=False) == ["Élan"]
    vocab = tmp_path / "vocab.txt"
    vocab.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nélan\n", encoding="utf-8")
    assert Vocabulary(vocab, lowercase=True, strip_accents=False).encode("Élan") == [4]
    assert Vocabulary(vocab, lowercase=True).encode("Élan") == [1]
