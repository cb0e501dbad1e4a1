"""A WordPiece vocabulary and its casing out of a tokenizer.json, the file of the library
`tokenizers`."""

import os
from pathlib import Path
from typing import Any, NamedTuple

from bertsquad.checkpoint.given_folder import TOKENIZER
from bertsquad.console.errors import UserError
from bertsquad.data.casing import Casing, find_casing
from bertsquad.data.vocabulary import read_vocabulary
from bertsquad.files import read_json

_MOST_TOKENS = 2**24  # far beyond any BERT's: a damaged number must not fill the memory
_SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


class Normalizer(NamedTuple):
    """What is done to a text before it meets the vocabulary; None where the file does not say."""

    lowercase: bool | None
    strip_accents: bool | None


def read_tokens(path: str | os.PathLike[str]) -> list[str]:
    """The tokens of a vocab.txt or a tokenizer.json, a token's id is its index.

    Numbers that no token has are empty texts, which no text has. Raises `UserError` as
    `read_vocabulary` does, and for a tokenizer.json of another kind than BERT's.
    """
    if Path(path).name != TOKENIZER:
        return read_vocabulary(path)
    model = _object(path, read_json(path)).get("model")
    kind = model.get("type") if isinstance(model, dict) else None
    vocab = model.get("vocab") if isinstance(model, dict) else None
    if kind != "WordPiece" or not isinstance(vocab, dict) or not vocab:
        raise UserError(
            f"{path}: a tokenizer of the kind {kind!r}; expected WordPiece with its vocabulary, as "
            "BERT has"
        )
    for token, number in vocab.items():
        if type(number) is not int or not 0 <= number < _MOST_TOKENS:
            raise UserError(f"{path}: token {token!r} has the number {number!r}; expected an id")
        if token != token.strip() or "\n" in token:
            raise UserError(f"{path}: token {token!r} has white space; expected a word piece")
    tokens = [""] * (max(vocab.values()) + 1)
    for token, number in vocab.items():
        if tokens[number]:
            raise UserError(
                f"{path}: the tokens {tokens[number]!r} and {token!r} both have the number {number}"
            )
        tokens[number] = token
    missing = [token for token in _SPECIAL_TOKENS if token not in vocab]
    if missing:
        raise UserError(f"{path}: no {', '.join(missing)} in the vocabulary; expected BERT's")
    return tokens


def read_casing(
    vocabulary: str | os.PathLike[str],
    tokens: list[str],
    *,
    casing: str | None = None,
    strip_accents: bool | None = None,
) -> Casing:
    """`find_casing`, which asks tokenizer_config.json; where that does not say it, what the
    tokenizer.json beside the vocabulary says, before a guess."""
    found = find_casing(vocabulary, tokens, casing=casing, strip_accents=strip_accents)
    path = Path(vocabulary).with_name(TOKENIZER)
    if not found.guessed or not path.is_file():
        return found
    said = read_normalizer(path)
    if said.lowercase is None:
        return found
    stripped = said.strip_accents if strip_accents is None else strip_accents
    name = "uncased" if said.lowercase else "cased"
    return find_casing(vocabulary, tokens, casing=name, strip_accents=stripped)


def read_normalizer(path: str | os.PathLike[str]) -> Normalizer:
    """What BERT's normaliser of a tokenizer.json does; another one's says nothing here."""
    normalizer = _object(path, read_json(path)).get("normalizer")
    if not isinstance(normalizer, dict) or normalizer.get("type") != "BertNormalizer":
        return Normalizer(None, None)
    flags = (normalizer.get("lowercase"), normalizer.get("strip_accents"))
    return Normalizer(*(flag if isinstance(flag, bool) else None for flag in flags))


def _object(path: str | os.PathLike[str], content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a JSON object, a tokenizer of the library tokenizers")
    return content
