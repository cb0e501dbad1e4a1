"""A BERT of random weights and features of random tokens: all that speed depends on, no download.

How fast a model runs depends on its shapes and its inputs' lengths and not on what it has learned,
as long as its numbers stay of an ordinary size.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad import tensorfile
from bertsquad.data.batching import starts_of
from bertsquad.data.features import SPECIAL_TOKENS, VERSION, Features
from bertsquad.files import sha256, write_json, write_text, written_whole
from bertsquad.model.config import config_json, encoder_shapes

# bert_config.json of Google's uncased_L-24_H-1024_A-16.
BERT_LARGE = {
    "vocab_size": 30522,
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
}

# Of BERT's uncased vocabulary; ordinary words start at 1,000 there.
_SPECIAL = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]"}
UNK, CLS, SEP = 100, 101, 102
_QUESTION_LENGTH = 12  # word pieces; the mean of SQuAD's development set is 12.6


def write_model(folder: str | Path, config: Mapping[str, Any], seed: int) -> None:
    """A fine-tuned model's folder: weights from N(0, initializer_range), LayerNorm 1 and 0, the
    tokens named by their number. The same arguments give the same bytes."""
    folder = Path(folder)
    rng = np.random.default_rng(seed)
    deviation = np.float32(config["initializer_range"])
    shapes = encoder_shapes(config) | {
        "qa_outputs.weight": (2, config["hidden_size"]),
        "qa_outputs.bias": (2,),
    }

    def draw(name: str) -> np.ndarray:
        if name.endswith("LayerNorm.weight"):
            return np.ones(shapes[name], np.float32)
        if name.endswith(".bias"):
            return np.zeros(shapes[name], np.float32)
        return np.asarray(rng.standard_normal(shapes[name], np.float32) * deviation)

    values = config_json(config, architecture="BertForQuestionAnswering", pad_id=0)
    write_json(folder / "config.json", values)
    tokenizer = {"do_lower_case": True, "tokenizer_class": "BertTokenizer"}
    write_json(folder / "tokenizer_config.json", tokenizer)
    tokens = [_SPECIAL.get(number, f"token{number}") for number in range(config["vocab_size"])]
    write_text(folder / "vocab.txt", "".join(f"{token}\n" for token in tokens))
    layout = {name: (np.dtype(np.float32), shape) for name, shape in shapes.items()}
    with written_whole(folder / "model.safetensors") as part:
        tensorfile.write_streamed(part, layout, draw, {"format": "pt"})


def random_features(
    lengths: np.ndarray, model_dir: str | Path, *, max_seq_length: int, seed: int
) -> Features:
    """A feature of random ordinary tokens for each of these lengths (real tokens, [CLS] and [SEP]
    included), each with a question and a paragraph of its own, fit for the model."""
    vocab = Path(model_dir) / "vocab.txt"
    vocab_size = len(vocab.read_text(encoding="utf-8").splitlines())
    rng = np.random.default_rng(seed)
    count = len(lengths)
    doc_lengths = np.asarray(lengths, np.int32) - _QUESTION_LENGTH - SPECIAL_TOKENS
    if (doc_lengths < 1).any():
        raise ValueError(f"a length of {min(lengths)} leaves no room for a passage")
    numbers = np.arange(count, dtype=np.int32)
    zeros = np.zeros(count, np.int32)

    def tokens(amount: int) -> np.ndarray:
        return rng.integers(max(_SPECIAL) + 1, vocab_size, amount, dtype=np.uint16)

    return Features(
        {
            "context_ids": tokens(int(doc_lengths.sum())),
            "context_words": np.concatenate([np.arange(n, dtype=np.uint16) for n in doc_lengths]),
            "context_starts": starts_of(doc_lengths),
            "question_ids": tokens(count * _QUESTION_LENGTH),
            "question_starts": starts_of(np.full(count, _QUESTION_LENGTH)),
            "question_paragraph": numbers,
            "feature_question": numbers,
            "doc_start": zeros,
            "doc_length": doc_lengths,
            "max_context_begin": zeros,
            "max_context_end": doc_lengths,
        },
        {
            "version": VERSION,
            "max_seq_length": max_seq_length,
            "vocab_sha256": sha256(vocab),
            "cls": CLS,
            "sep": SEP,
        },
    )
