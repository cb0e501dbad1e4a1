"""A vocabulary is its lines, and says itself whether it is cased."""

from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from bertsquad.data.vocabulary import is_lowercase, read_vocabulary

SPECIAL = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n"


def test_a_tokens_id_is_its_line(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_text(SPECIAL + "the\n##s\n")
    assert read_vocabulary(path) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "##s"]


def test_only_line_feeds_end_a_line(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes((SPECIAL + "a\u2028b\r\n c \nd").encode())
    assert read_vocabulary(path)[4:] == ["a\u2028b", "c", "d"]


def test_the_real_uncased_vocabulary(uncased_vocab: Path) -> None:
    tokens = read_vocabulary(uncased_vocab)
    assert len(tokens) == 30_522
    assert tokens[101:103] == ["[CLS]", "[SEP]"]
    assert is_lowercase(tokens)


@pytest.mark.parametrize(
    ("tokens", "lowercase"),
    [
        (["[CLS]", "[unused1]", "the", "##s"], True),
        (["[CLS]", "the", "The"], False),
        (["[CLS]", "##S"], False),
        (["[CLS]", "É", "["], True),  # Google's own check, too, is for ASCII letters
    ],
)
def test_capital_letters_outside_brackets_make_a_vocabulary_cased(
    tokens: list[str], lowercase: bool
) -> None:
    assert is_lowercase(tokens) is lowercase


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "line 1 is empty"),
        (b"[PAD]\n\n[UNK]\n", "line 2 is empty"),
        (b"[PAD]\n[PAD]\n", "token '[PAD]' is on line 1 and again on line 2"),
        (b"[PAD]\n[UNK]\nthe\n", "no [CLS], [SEP] among 3 tokens"),
        (b"[PAD]\n\xff\xfe\n", "not UTF-8 text (byte 6)"),
    ],
)
def test_a_bad_vocabulary_is_one_clear_line(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "vocab.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_vocabulary(path)
    assert f"{path}: " in str(error.value)
    assert message in str(error.value)
