"""A WordPiece vocabulary as a plain list of tokens: what it holds, and whether it is cased."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from bertsquad.console.errors import UserError

_SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def read_vocabulary(path: str | os.PathLike[str]) -> list[str]:
    """The tokens of a vocab.txt, one a line, without the white space around them; a token's id is
    its index (tokenization.py load_vocab).

    Raises `UserError` for a missing file, text that is not UTF-8, an empty line, a token that
    occurs twice, or a missing special token.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; expected a vocabulary, one token a line") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 text (byte {error.start}); expected a vocabulary, one token a line"
        ) from None
    # Split at line feeds only: str.splitlines would also cut at U+2028 and others, shifting ids.
    tokens = [line.strip() for line in text.removesuffix("\n").split("\n")]
    first_line: dict[str, int] = {}
    for line, token in enumerate(tokens, start=1):
        if not token:
            raise UserError(f"{path}: line {line} is empty; expected one token a line")
        if token in first_line:
            raise UserError(
                f"{path}: token {token!r} is on line {first_line[token]} and again on line {line}; "
                "expected every token once"
            )
        first_line[token] = line
    missing = [token for token in _SPECIAL_TOKENS if token not in first_line]
    if missing:
        raise UserError(
            f"{path}: no {', '.join(missing)} among {len(tokens)} tokens; "
            "expected the vocab.txt that came with the checkpoint"
        )
    return tokens


def is_lowercase(tokens: Sequence[str]) -> bool:
    """Whether text must be lower-cased before it meets these tokens.

    A cased vocabulary holds tokens with [A-Z]; names in brackets, such as [CLS], say nothing.
    """
    return not any(
        re.search("[A-Z]", token) and not (token.startswith("[") and token.endswith("]"))
        for token in tokens
    )
