"""A model's folder as the engines load it: itself where it is of their form, else a converted copy
that is kept."""

import hashlib
import os
from pathlib import Path

import numpy as np

from bertsquad.checkpoint.conversion import convert
from bertsquad.checkpoint.given_folder import CONFIG, VOCABULARY, Parts, find_parts
from bertsquad.checkpoint.names import from_huggingface
from bertsquad.checkpoint.shards import open_weights
from bertsquad.checkpoint.tokenizer_json import read_casing
from bertsquad.checkpoint.weight_files import SINGLE
from bertsquad.console.errors import UserError
from bertsquad.console.progress import say
from bertsquad.data.casing import find_casing
from bertsquad.data.vocabulary import read_vocabulary
from bertsquad.model.config import encoder_shapes, head_shapes, read_config
from bertsquad.tensorfile import TensorFile

_VERSION = "1"  # of what conversion writes; a new one makes copies anew
HEAD = "qa_outputs.weight"


def ready(folder: str | os.PathLike[str]) -> Path:
    """The folder itself, or its converted copy in the user's cache.

    Raises `UserError` for a folder without a part, for a model that is no BERT, and for one without
    an answer head.
    """
    parts = find_parts(folder)
    check_head(folder, parts)
    if _is_loadable(parts):
        return Path(folder)
    copy = _cache() / _key(parts)
    if not (copy / CONFIG).is_file():  # written last
        convert(parts.weights[0], parts.config, parts.vocabulary, copy, origin="huggingface")
        say(f"{folder}: converted once into {copy}")
    return copy


def check_head(folder: str | os.PathLike[str], parts: Parts) -> None:
    """`UserError` for a model that is no BERT, or cannot answer."""
    read_config(parts.config)
    targets = (from_huggingface(name) for name in open_weights(parts.weights[0]).shapes)
    if HEAD not in {target.name for target in targets if target}:
        raise UserError(
            f"{folder}: a model without an answer head ({HEAD}), so it cannot answer questions; "
            "fine-tune it on questions first (config/README.md)"
        )


def _is_loadable(parts: Parts) -> bool:
    """Whether it is one file of float32 with the engines' names, beside a vocab.txt that is read
    as a tokenizer.json says, too."""
    (weights, *others) = parts.weights
    if others or weights.name != SINGLE or parts.vocabulary.name != VOCABULARY:
        return False
    # An engine's texts are read as tokenizer_config.json says, or by a guess.
    tokens = read_vocabulary(parts.vocabulary)
    said, seen = read_casing(parts.vocabulary, tokens), find_casing(parts.vocabulary, tokens)
    if (said.lowercase, said.strip_accents) != (seen.lowercase, seen.strip_accents):
        return False
    file = TensorFile(weights)
    config = read_config(parts.config)
    if len(tokens) > config["vocab_size"]:
        return False  # conversion says what is wrong
    wanted = encoder_shapes(config) | head_shapes(config)[-1]
    return all(
        file.shapes.get(name) == shape and file.place(name)[0] == np.dtype("<f4")
        for name, shape in wanted.items()
    )


def _cache() -> Path:
    """Where converted copies are kept (XDG Base Directory Specification)."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    base = named if named.is_absolute() else Path.home() / ".cache"
    return base / "bertsquad/models"


def _key(parts: Parts) -> str:
    """A name for these very files: another size or time of one of them is another model."""
    facts = [_VERSION]
    for path in parts.files:
        status = path.stat()
        facts += [str(path.resolve()), str(status.st_size), str(status.st_mtime_ns)]
    return hashlib.sha256("\n".join(facts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
