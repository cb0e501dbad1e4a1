"""A WordPiece vocabulary as a plain list of tokens: what it holds, and whether it looks cased."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from bertsquad.console.errors import UserError
from bertsquad.files import LFS_POINTER, is_lfs_pointer

_BRACKETED = re.compile(r"\[.*\]|<.*>")
_LETTER, _CAPITAL = re.compile("[A-Za-z]"), re.compile("[A-Z]")
_CASED_SHARE = 0.01  # of the tokens with letters that must have capitals
_SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def read_vocabulary(path: str | os.PathLike[str]) -> list[str]:
    """The tokens of a vocab.txt, one a line, without the white space around them; a token's id is
    its index (tokenization.py load_vocab).

    A line of white space alone is an empty token, which no text has; such lines at the end of the
    file are left out. Of a token that occurs twice the last line counts (`repeated` names them).

    Raises `UserError` for a missing file, text that is not UTF-8 or a missing special token.
    """
    try:
        data = Path(path).read_bytes()
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; expected a vocabulary, one token a line") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 text (byte {error.start}); expected a vocabulary, one token a line"
        ) from None
    if is_lfs_pointer(data):
        raise UserError(f"{path}: {LFS_POINTER}")
    # Split at line feeds only: str.splitlines would also cut at U+2028 and others, shifting ids.
    tokens = [line.strip() for line in text.rstrip("\r\n").split("\n")]
    known = set(tokens)
    missing = [token for token in _SPECIAL_TOKENS if token not in known]
    if missing:
        raise UserError(
            f"{path}: no {', '.join(missing)} among {len(known - {''}):,} tokens; "
            "expected the vocab.txt that came with the checkpoint"
        )
    return tokens


def repeated(tokens: Sequence[str]) -> dict[str, list[int]]:
    """The tokens on more than one line, with their lines, from 1 on; empty ones do not count."""
    lines: dict[str, list[int]] = {}
    for line, token in enumerate(tokens, start=1):
        if token:
            lines.setdefault(token, []).append(line)
    return {token: found for token, found in lines.items() if len(found) > 1}


def repeated_note(path: str | os.PathLike[str], tokens: Sequence[str]) -> str | None:
    """The warning of a vocabulary with repeated tokens, or None."""
    found = repeated(tokens)
    if not found:
        return None
    token, lines = next(iter(found.items()))
    return (
        f"warning: {path}: {len(found):,} tokens are on more than one line, the first {token!r} "
        f"on lines {', '.join(map(str, lines[:3]))}: the last line counts"
    )


def is_lowercase(tokens: Sequence[str]) -> bool:
    """Whether text is probably lower-cased before it meets these tokens: a guess, where neither
    tokenizer_config.json nor anybody says it.

    Of a cased vocabulary's tokens with ASCII letters about a third have capitals, of an uncased
    one's none but a stray one in an unused place. Names in brackets, [CLS] or <S>, say nothing.
    """
    letters = capitals = 0
    for token in tokens:
        if _BRACKETED.fullmatch(token) or not _LETTER.search(token):
            continue
        letters += 1
        capitals += _CAPITAL.search(token) is not None
    return capitals < _CASED_SHARE * letters or not capitals
