"""How a checkpoint's text is read: lower-cased or not, with or without accents, and who says so."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bertsquad.console.errors import UserError
from bertsquad.data.vocabulary import is_lowercase
from bertsquad.files import read_json

TOKENIZER_CONFIG = "tokenizer_config.json"
GUESSED = "guessed_from_vocabulary"  # its key in tokenizer_config.json, where conversion guessed


@dataclass(frozen=True, slots=True)
class Casing:
    """What is done to a text before it meets the vocabulary."""

    lowercase: bool
    strip_accents: bool  # combining marks go
    guessed: bool = False  # from the vocabulary's capitals: nobody said it

    @property
    def name(self) -> str:
        return "uncased" if self.lowercase else "cased"


def find_casing(
    vocabulary: str | os.PathLike[str],
    tokens: Sequence[str],
    *,
    casing: str | None = None,
    strip_accents: bool | None = None,
) -> Casing:
    """How texts for a vocabulary are read.

    As `casing` ("cased", "uncased") and `strip_accents` say, else as the tokenizer_config.json
    beside the vocabulary says (`do_lower_case`, `strip_accents`), else as the vocabulary's capitals
    make likely. Accents go where texts are lower-cased, if nothing else is said, as in
    tokenization.py. Raises `UserError` for a tokenizer_config.json that cannot be read.
    """
    path = Path(vocabulary).with_name(TOKENIZER_CONFIG)
    lowercase = None if casing is None else casing == "uncased"
    guessed = False
    if path.is_file():
        settings = read_json(path)
        if not isinstance(settings, dict):
            raise UserError(f"{path}: expected a JSON object with do_lower_case")
        if lowercase is None:
            lowercase = _flag(path, settings, "do_lower_case")
            guessed = settings.get(GUESSED) is True
        if strip_accents is None:
            strip_accents = _flag(path, settings, "strip_accents")
    if lowercase is None:
        lowercase, guessed = is_lowercase(tokens), True
    return Casing(lowercase, lowercase if strip_accents is None else strip_accents, guessed)


def _flag(path: Path, settings: dict[str, object], key: str) -> bool | None:
    value = settings.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise UserError(f"{path}: {key} is {value!r}; expected true, false or null")
