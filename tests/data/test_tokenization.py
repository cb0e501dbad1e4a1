"""Words, basic tokens and word pieces, as Google's tokenization.py makes them."""

import sys
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

import plain_run_squad
from bertsquad.data import squad
from bertsquad.data.tokenization import (
    WORD,
    Vocabulary,
    basic_tokens,
    split_words,
    word_of_characters,
)

CASED = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "John", "Jo", "##han", "##son", "'", "s", "house", "."),
    *("İ", "##stan", "##bul", "[", "]", "C", "##LS", "é", "x", "##x", "a", "##a", "##̂", "中"),
)


@pytest.fixture(scope="module")
def uncased(uncased_vocab: Path) -> Vocabulary:
    return Vocabulary(uncased_vocab)


@pytest.fixture(scope="module")
def cased(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    path.write_text("".join(f"{token}\n" for token in CASED), encoding="utf-8")
    return Vocabulary(path)


def test_golden_uncased(uncased: Vocabulary, golden: dict[str, Any]) -> None:
    for case in golden["tokenize_uncased"]:
        assert basic_tokens(case["text"], lowercase=True) == case["basic"]
        assert uncased.tokenize(case["text"]) == case["wordpiece"]


def test_golden_cased(golden: dict[str, Any]) -> None:
    for case in golden["basic_cased"]:
        assert basic_tokens(case["text"], lowercase=False) == case["basic"]


def test_casing_is_read_from_the_vocabulary(uncased: Vocabulary, cased: Vocabulary) -> None:
    assert uncased.lowercase
    assert not cased.lowercase
    assert uncased.tokenize("John") == ["john"]
    assert cased.tokenize("John") == ["John"]
    assert (uncased.pad, uncased.unk, uncased.cls, uncased.sep) == (0, 100, 101, 102)


def test_a_special_token_in_text_is_text(uncased: Vocabulary, cased: Vocabulary) -> None:
    assert uncased.tokenize("[CLS] a [SEP]") == ["[", "cl", "##s", "]", "a", "[", "sep", "]"]
    assert cased.tokenize("[CLS]") == ["[", "C", "##LS", "]"]


def test_a_token_of_more_than_200_characters_is_unknown(cased: Vocabulary) -> None:
    assert cased.tokenize("x" * 200) == ["x"] + ["##x"] * 199
    assert cased.tokenize("x" * 201) == ["[UNK]"]
    # It counts basic tokens, not white-space words.
    assert cased.tokenize("x" * 150 + "." + "x" * 150) == [
        *["x", *["##x"] * 149],
        ".",
        *["x", *["##x"] * 149],
    ]


def test_a_token_with_one_unknown_part_is_unknown_as_a_whole(cased: Vocabulary) -> None:
    assert cased.tokenize("Johanz house") == ["[UNK]", "house"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a\u00a0b", ["a", "b"]),  # no-break space is white space here (but not for split_words)
        ("a\u2028b", ["a", "b"]),  # a line separator is no Zs, but Python splits at it
        ("a\u200bb\u00adc\x00d\ufffde\x85f", ["abcdef"]),  # format and control characters vanish
        ("\u200b", []),
        ("a\u0378b\ue000c", ["a\u0378b\ue000c"]),  # unassigned and private use stay
        ("ΟΔΟΣ", ["οδος"]),  # a final sigma
        ("İI", ["ii"]),  # lower case is "i" and a combining dot
        ("ǅ", ["ǆ"]),
        ("a\u1fefb", ["a", "`", "b"]),  # a symbol that decomposes to punctuation
        ("a\u037eb", ["a", ";", "b"]),
        ("$1^2", ["$", "1", "^", "2"]),  # ASCII symbols count as punctuation
        ("1€2", ["1€2"]),  # others do not
        ("한국 ひらがな", ["한국", "ひらかな"]),
        ("国家", ["国", "家"]),
        ("\U00020000x\U0001f600", ["\U00020000", "x\U0001f600"]),
        ("\u0301x", ["x"]),
        ("\u0301", []),
    ],
)
def test_lower_cased_basic_tokens(text: str, tokens: list[str]) -> None:
    decomposed = [unicodedata.normalize("NFD", token) for token in tokens]
    assert basic_tokens(text, lowercase=True) == decomposed


def test_cased_text_keeps_accents_and_composition() -> None:
    assert basic_tokens("Beyoncé É\u0301", lowercase=False) == ["Beyoncé", "É\u0301"]
    assert basic_tokens("a\u1fefb", lowercase=False) == ["a\u1fefb"]


def test_words_are_split_at_five_characters_only() -> None:
    text = " a\u202f\tb\u00a0c\u2009d\n"
    assert split_words(text) == ["a", "b\u00a0c\u2009d"]
    assert word_of_characters(text).tolist() == [-1, 0, 0, 0, 1, 1, 1, 1, 1, 1]


def test_no_text_no_words() -> None:
    assert split_words("") == []
    assert word_of_characters("").tolist() == []


# Characters at which tokenisers disagree, more often than chance would pick them.
TRICKY = st.sampled_from(
    " \t\r\n\u202f\u00a0\u2028\u2029\x85\x1c\x00\ufffd\u200b\u200d\u00ad\ufeff\u180e\u3000"
    "AaİıſßΣσςǅﬁÅ\u0301\u0345\u05b0\u1fef\u037e\u0340中\uf900\u2f00한\uac01がｶﾞ"
    "!$^~`«»€—“”…·[]#_\U0001f600\U0001d400\U00020000\U0002f800\ue000\u0378\ud800\udfff"
)
TEXTS = st.lists(
    st.one_of(
        TRICKY, st.characters(), st.sampled_from(["[CLS]", "[UNK]", "##s", "the", "x" * 199])
    ),
    max_size=30,
).map("".join)


@given(TEXTS, st.booleans())
@example("ΑΣ\u2028Σ\u200bΣ.Σ", True)
def test_basic_tokens_equal_the_plain_algorithm(text: str, lowercase: bool) -> None:
    assert basic_tokens(text, lowercase) == plain_run_squad.basic_tokens(text, lowercase)


@pytest.mark.parametrize("lowercase", [True, False])
def test_every_character_is_treated_as_by_the_plain_algorithm(lowercase: bool) -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    text = "\n".join(f"a{c}b" for c in characters if unicodedata.category(c) not in ("Cn", "Co"))
    assert basic_tokens(text, lowercase) == plain_run_squad.basic_tokens(text, lowercase)


@given(TEXTS)
def test_word_pieces_equal_the_plain_algorithm(uncased: Vocabulary, text: str) -> None:
    assert uncased.tokenize(text) == plain_run_squad.tokenize(text, uncased.ids, True)


@given(TEXTS)
def test_cased_word_pieces_equal_the_plain_algorithm(cased: Vocabulary, text: str) -> None:
    assert cased.tokenize(text) == plain_run_squad.tokenize(text, cased.ids, False)


@given(TEXTS)
def test_words_and_map_equal_the_plain_algorithm(text: str) -> None:
    words, char_to_word = split_words(text), word_of_characters(text).tolist()
    assert (words, char_to_word) == plain_run_squad.words_and_map(text)


@given(TEXTS)
def test_word_by_word_is_the_whole_text(uncased: Vocabulary, text: str) -> None:
    ids, starts = uncased.encode_words(WORD.findall(text))
    assert ids.tolist() == uncased.encode(text)
    pieces = [ids[begin:end].tolist() for begin, end in pairwise(starts)]
    assert pieces == [uncased.encode(word) for word in WORD.findall(text)]


@given(st.text(st.characters(max_codepoint=0x24F, exclude_categories=["C"]), max_size=60))
def test_latin_text_is_tokenised_as_by_transformers(uncased: Vocabulary, text: str) -> None:
    assert uncased.encode(text) == rust_bert(uncased).encode(text, add_special_tokens=False).ids


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("casing", ["uncased", "cased"])
def test_real_dev_texts_are_tokenised_alike_three_ways(squad_dir: Path, casing: str) -> None:
    """By this module, by the plain algorithm, and by the library behind `transformers`."""
    path = squad_dir.parent / f"vocab/vocab_{casing}.txt"
    if not path.is_file():
        pytest.skip(f"Google's vocabulary is not at {path}")
    vocabulary = Vocabulary(path)
    rust = rust_bert(vocabulary)
    words = set()
    for paragraph in squad.load(squad_dir / "dev-v1.1.json").paragraphs:
        for text in (paragraph.context, *(question.text for question in paragraph.questions)):
            words.update(WORD.findall(text))
            assert vocabulary.encode(text) == rust.encode(text, add_special_tokens=False).ids
    assert len(words) == 47117
    for word in words:
        plain = plain_run_squad.tokenize(word, vocabulary.ids, vocabulary.lowercase)
        assert vocabulary.tokenize(word) == plain


@cache
def rust_bert(vocabulary: Vocabulary) -> Tokenizer:
    """What transformers' BertTokenizer does, without its special tokens."""
    tokenizer = Tokenizer(
        models.WordPiece(vocab=vocabulary.ids, unk_token="[UNK]", max_input_chars_per_word=200)
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=vocabulary.lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer
