"""Training features so small that steps take milliseconds, and so regular that BERT learns them."""

from pathlib import Path

import numpy as np

from bertsquad.data import features
from bertsquad.data.batching import starts_of
from bertsquad.data.features import Features
from bertsquad.files import sha256

CLS, SEP, ANSWER = 2, 3, 7  # token ids
QUESTION_LENGTH = 2
MAX_SEQ_LENGTH = 40


def training_features(count: int = 24, *, seed: int = 0, vocab_size: int = 64) -> Features:
    """One paragraph, question and feature each; the answer is the only token ANSWER."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 30, size=count).astype(np.int32)
    starts = starts_of(lengths)
    answers = rng.integers(lengths).astype(np.int32)
    context_ids = rng.integers(10, vocab_size, size=starts[-1]).astype(np.uint16)
    context_ids[starts[:-1] + answers] = ANSWER
    zeros, numbers = np.zeros(count, np.int32), np.arange(count, dtype=np.int32)
    positions = answers + QUESTION_LENGTH + 2
    return Features(
        {
            "context_ids": context_ids,
            "context_words": np.concatenate([np.arange(n) for n in lengths]).astype(np.uint16),
            "context_starts": starts,
            "question_ids": rng.integers(10, vocab_size, count * QUESTION_LENGTH).astype(np.uint16),
            "question_starts": starts_of([QUESTION_LENGTH] * count),
            "question_paragraph": numbers,
            "feature_question": numbers,
            "doc_start": zeros,
            "doc_length": lengths,
            "max_context_begin": zeros,
            "max_context_end": lengths,
            "start_position": positions,
            "end_position": positions,
        },
        {
            "version": features.VERSION,
            "max_seq_length": MAX_SEQ_LENGTH,
            "vocab_sha256": "",
            "cls": CLS,
            "sep": SEP,
        },
    )


def write_training_features(path: Path, checkpoint: Path, made: Features | None = None) -> Path:
    """The same as a file, made for this checkpoint's vocabulary."""
    made = made or training_features()
    made.metadata["vocab_sha256"] = sha256(checkpoint / "vocab.txt")
    features.write(path, made)
    return path
