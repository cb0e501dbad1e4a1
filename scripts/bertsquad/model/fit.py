"""Whether features were made for a model, and from these files."""

from pathlib import Path
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.files import sha256
from bertsquad.model.config import read_config


def check_fit(model_dir: str | Path, features: Any, features_path: str | Path) -> None:
    """Raise UserError when features were not made for this model.

    A cased model fed uncased features gives numbers, and wrong ones; nothing else would tell.
    """
    vocabulary = Path(model_dir) / "vocab.txt"
    made_with, found = features.metadata["vocab_sha256"], sha256(vocabulary)
    if made_with != found:
        raise UserError(
            f"{features_path}: made with a vocabulary of SHA-256 {made_with[:12]}..., but the "
            f"model's {vocabulary} has {found[:12]}...; featurize the dataset with that vocabulary"
        )
    config = Path(model_dir) / "config.json"
    positions = read_config(config)["max_position_embeddings"]
    if features.max_seq_length > positions:
        raise UserError(
            f"{features_path}: made for {features.max_seq_length} tokens, but {config} has "
            f"max_position_embeddings {positions}; featurize with a smaller --max-seq-length"
        )


def check_made_from(features_path: Path, metadata: dict[str, Any], source: Path, kind: str) -> None:
    """Raise `UserError` unless the features were made from the file `source`."""
    found, expected = sha256(source), str(metadata.get(f"{kind}_sha256"))
    if found != expected:
        raise UserError(
            f"{source}: not the {kind} that {features_path} was made from "
            f"(sha256 {found[:12]}…, expected {expected[:12]}…); give that one"
        )
