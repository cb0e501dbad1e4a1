"""Whether a casing that nobody said, but that a vocabulary's capitals suggest, fits the texts."""

from __future__ import annotations

import os

from bertsquad.console.errors import UserError
from bertsquad.data.features import Features
from bertsquad.data.squad import Dataset
from bertsquad.data.tokenization import Vocabulary

MOST_UNKNOWN = 0.05  # share of [UNK] among word pieces above which a guessed casing is doubted
_PARAGRAPHS = 200  # that are read the other way


def check_guess(
    path: str | os.PathLike[str], dataset: Dataset, vocabulary: Vocabulary, made: Features
) -> None:
    """Raise `UserError` where a guessed casing leaves much of the text unknown and the other one
    would not."""
    unknown = float((made.context_ids == vocabulary.unk).mean())
    if unknown < MOST_UNKNOWN:
        return
    other = Vocabulary(path, lowercase=not vocabulary.lowercase)
    paragraphs = dataset.paragraphs[:_PARAGRAPHS]
    words = [word for paragraph in paragraphs for word in paragraph.context.split()]
    pieces, _ = other.encode_words(words)
    share = float((pieces == other.unk).mean()) if len(pieces) else 0.0
    if share < unknown / 2:
        names = ("uncased", "cased") if vocabulary.lowercase else ("cased", "uncased")
        raise UserError(
            f"{path}: looks {names[0]}, but then {unknown:.1%} of the word pieces are [UNK], and "
            f"{share:.1%} if it is {names[1]}; say which by do_lower_case in a "
            "tokenizer_config.json beside it, or by --casing of featurize"
        )
