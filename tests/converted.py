"""Conversions of the checkpoints that TensorFlow wrote, and of changed ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.checkpoint import bundle, conversion
from bertsquad.checkpoint.conversion import convert

FILES = ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def convert_folder(source: Path, output: Path, **options: Any) -> conversion.Conversion:
    """Convert one of the checkpoints that TensorFlow wrote, or a copy of it."""
    prefix = next(source.glob("*.index"))
    options = {"origin": "google"} | options
    return convert(prefix, source / "bert_config.json", source / "vocab.txt", output, **options)


def rewrite(folder: Path, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Change the tensors of a checkpoint."""
    prefix = folder / "bert_model.ckpt"
    tensors = bundle.read(prefix)
    change(tensors)
    bundle.write(prefix, tensors)


def write_vocabulary(path: Path, size: int) -> None:
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"{a}{b}" for a in LETTERS for b in LETTERS)]
    path.write_text("\n".join(tokens[:size]) + "\n")


def google_name(name: str) -> tuple[str, bool]:
    """Google's name for a tensor of transformers, and whether it is transposed: written down
    apart from the library, in the other direction."""
    heads = {
        "qa_outputs.weight": "cls/squad/output_weights",
        "qa_outputs.bias": "cls/squad/output_bias",
        "cls.seq_relationship.weight": "cls/seq_relationship/output_weights",
        "cls.seq_relationship.bias": "cls/seq_relationship/output_bias",
    }
    if name in heads:
        return heads[name], False
    path = name.replace("encoder.layer.", "encoder.layer_").replace(".", "/")
    if "LayerNorm" in path:
        return path.replace("/weight", "/gamma").replace("/bias", "/beta"), False
    if "embeddings" in path:
        return path.removesuffix("/weight"), False
    return path.replace("/weight", "/kernel"), path.endswith("/weight")
