"""Text to WordPiece tokens exactly as BERT's tokenization.py, casing as the checkpoint says.

Only the longest-match search is done by the Rust library `tokenizers`. Its own BERT normaliser is
not Google's: it drops private-use characters and those newer than its Unicode tables, and writes a
final sigma as any other. Normalising here is exact, and four times as fast on SQuAD, because texts
are cut into white-space words first and every distinct word is tokenised once (`encode_words`).
"""

import os
import re
import unicodedata
from array import array
from collections.abc import Callable, Iterable

import numpy as np
from tokenizers import models

from bertsquad.data.casing import find_casing
from bertsquad.data.vocabulary import read_vocabulary

# What run_squad.py splits contexts at. Other Unicode spaces, such as U+00A0, stay inside a word.
_WHITESPACE = " \t\r\n\u202f"
WORD = re.compile(f"[^{_WHITESPACE}]+")
_IS_WHITESPACE = np.array([chr(code) in _WHITESPACE for code in range(128)])

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")  # a surrogate alone

# tokenization.py WordpieceTokenizer: a longer token is [UNK] as a whole.
_MAX_INPUT_CHARS_PER_WORD = 200


# What `str.split` cuts at beside _WHITESPACE.
_OTHER_WHITESPACE = re.compile(
    "[\x0b\x0c\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u205f\u3000]"
)


def split_words(text: str) -> list[str]:
    """The white-space words of a context, as run_squad.py sees them: WORD.findall, but faster."""
    return WORD.findall(text) if _OTHER_WHITESPACE.search(text) else text.split()


def word_of_characters(context: str) -> np.ndarray:
    """Which word each character belongs to: int32[len(context)], run_squad.py's
    `char_to_word_offset`.

    It is the word that started last, so white space belongs to the word before it, and is -1 before
    the first word.
    """
    codes = np.frombuffer(context.encode("utf-32-le", "surrogatepass"), np.uint32)
    space = _IS_WHITESPACE.take(codes, mode="clip")
    space |= codes == ord("\u202f")
    starts = ~space
    starts[1:] &= space[:-1]
    words = starts.cumsum(dtype=np.int32)
    words -= 1
    return words


def basic_tokens(text: str, lowercase: bool, strip_accents: bool | None = None) -> list[str]:
    """Words and punctuation marks: tokenization.py's BasicTokenizer.

    Control characters go; Chinese characters and punctuation stand alone. With `lowercase` the text
    is lower-cased; with `strip_accents` (if not given: as `lowercase`) its combining marks go.
    """
    if text.isascii() and text.isalnum():  # most of all words: nothing to drop, nothing to isolate
        return [text.lower() if lowercase else text]
    text = text.translate(_CLEANED)
    if lowercase:
        text = text.lower()
    if lowercase if strip_accents is None else strip_accents:
        # Punctuation is looked for only afterwards: U+1FEF is a symbol that decomposes to "`".
        text = unicodedata.normalize("NFD", text)
        return text.translate(_ISOLATED_WITHOUT_MARKS).split()
    return text.translate(_ISOLATED).split()


class Vocabulary:
    """A vocab.txt and the tokeniser it defines.

    `tokens` are all its entries in order, `ids` their numbers, `lowercase` and `strip_accents` what
    is done to text before (what is not given is found by `casing.find_casing`), `pad`, `unk`,
    `cls`, `sep` the numbers of the special tokens. "[CLS]" in a text is text: it becomes "[",
    "cls", "]".

    Raises `UserError` where `vocabulary.read_vocabulary` does.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        lowercase: bool | None = None,
        strip_accents: bool | None = None,
    ) -> None:
        self.tokens = read_vocabulary(path)
        self.ids = {token: id for id, token in enumerate(self.tokens) if token}
        if lowercase is None:
            found = find_casing(path, self.tokens, strip_accents=strip_accents)
            lowercase, strip_accents = found.lowercase, found.strip_accents
        self.lowercase = lowercase
        self.strip_accents = lowercase if strip_accents is None else strip_accents
        self.pad, self.unk, self.cls, self.sep = (
            self.ids[token] for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
        )
        self.wordpiece = models.WordPiece(
            vocab=self.ids,
            unk_token="[UNK]",
            max_input_chars_per_word=_MAX_INPUT_CHARS_PER_WORD,
            continuing_subword_prefix="##",
        )

    def __len__(self) -> int:
        return len(self.tokens)

    def tokenize(self, text: str) -> list[str]:
        """The word pieces of a text: tokenization.py's FullTokenizer."""
        return [self.tokens[id] for id in self.encode(text)]

    def encode(self, text: str) -> list[int]:
        """The numbers of the word pieces of a text."""
        return [
            id
            for token in basic_tokens(text, self.lowercase, self.strip_accents)
            for id in self.pieces(token)
        ]

    def encode_words(self, words: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
        """The word pieces of W words: ids int32[T] end to end, and their starts int64[W + 1].

        A word of nothing but control characters has no piece.
        """
        ids, starts = array("i"), array("q", [0])
        known: dict[str, list[int]] = {}
        for word in words:
            for token in basic_tokens(word, self.lowercase, self.strip_accents):
                pieces = known.get(token)
                if pieces is None:
                    pieces = known[token] = self.pieces(token)
                ids.extend(pieces)
            starts.append(len(ids))
        return np.array(ids, np.int32), np.array(starts, np.int64)

    def pieces(self, token: str) -> list[int]:
        """The longest matches of one basic token, or [UNK] when some part has no match."""
        if _HALF_A_PAIR.search(token):
            return [self.unk]  # which cannot be passed on, nor be in a vocabulary
        return [piece.id for piece in self.wordpiece.tokenize(token)]


class _CharacterTable(dict[int, str | None]):
    """What `str.translate` makes of each character, found out when it is first seen."""

    def __init__(self, replacement: Callable[[str], str | None]) -> None:
        self.replacement = replacement

    def __missing__(self, code: int) -> str | None:
        self[code] = found = self.replacement(chr(code))
        return found


def _clean(character: str) -> str | None:
    """None to drop a character, a space for white space, spaces around a Chinese character."""
    if character in "\t\n\r":
        return " "
    category = unicodedata.category(character)
    if character in "\0\ufffd" or category in ("Cc", "Cf"):
        return None
    if category == "Zs":
        return " "
    return f" {character} " if _is_chinese(ord(character)) else character


def _isolate(character: str) -> str:
    """Spaces around punctuation."""
    return f" {character} " if _is_punctuation(character) else character


def _isolate_without_marks(character: str) -> str | None:
    return None if unicodedata.category(character) == "Mn" else _isolate(character)


def _is_punctuation(character: str) -> bool:
    """Every ASCII character that is not a letter, digit, space or control counts, also "$" or "^",
    which Unicode calls symbols."""
    if "!" <= character <= "~":
        return not character.isalnum()
    return unicodedata.category(character).startswith("P")


def _is_chinese(code: int) -> bool:
    """CJK ideographs only: Hangul, Hiragana and Katakana are written in words, with spaces."""
    return any(first <= code <= last for first, last in _CHINESE)


_CHINESE = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)

_CLEANED = _CharacterTable(_clean)
_ISOLATED = _CharacterTable(_isolate)
_ISOLATED_WITHOUT_MARKS = _CharacterTable(_isolate_without_marks)
