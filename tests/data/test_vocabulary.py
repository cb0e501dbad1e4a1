"""A vocabulary is its lines, and says itself whether it is cased."""

from pathlib import Path

import pytest

from bertsquad.console.errors import UserError
from bertsquad.data.vocabulary import is_lowercase, read_vocabulary, repeated, repeated_note

SPECIAL = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n"


def test_a_tokens_id_is_its_line(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_text(SPECIAL + "the\n##s\n")
    assert read_vocabulary(path) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "##s"]


def test_only_line_feeds_end_a_line(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes((SPECIAL + "a\u2028b\r\n c \nd").encode())
    assert read_vocabulary(path)[4:] == ["a\u2028b", "c", "d"]


def test_lines_of_white_space_count_but_not_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes((SPECIAL + "a\n\n \t\n\u2028\nb\n\n\r\n").encode())
    assert read_vocabulary(path)[4:] == ["a", "", "", "", "b"]


def test_repeated_tokens_are_found(tmp_path: Path) -> None:
    tokens = ["[PAD]", "e", "", "a", "", "e", "a", "e"]
    assert repeated(tokens) == {"e": [2, 6, 8], "a": [4, 7]}
    note = repeated_note("vocab.txt", tokens)
    assert note == (
        "warning: vocab.txt: 2 tokens are on more than one line, the first 'e' on lines 2, 6, 8: "
        "the last line counts"
    )
    assert repeated_note("vocab.txt", ["[PAD]", "", ""]) is None


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
        (["<S>", "<T>", "[CLS]", "the"], True),
        (["the"] * 200 + ["Unused"], True),  # one stray capital
        (["the"] * 200 + ["The", "A", "##S"], False),
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
        (b"", "no [PAD], [UNK], [CLS], [SEP] among 0 tokens"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n", "git-lfs"),
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
