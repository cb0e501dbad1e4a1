"""A fine-tuned model and features for it, both tiny and random, as the commands find them."""

from pathlib import Path

import numpy as np

from bertsquad.data import features
from bertsquad.data.batching import starts_of
from bertsquad.data.features import Features
from bertsquad.files import sha256
from bertsquad.model import folder as model_folder
from tiny_bert import TINY, write_model_folder

CLS, SEP = 2, 3
QUESTION_LENGTH = 4
MAX_SEQ_LENGTH = 40


def write_finetuned(folder: Path, **config) -> Path:
    """A fine-tuned model folder: encoder and answer head, no more."""
    checkpoint = write_model_folder(folder / "checkpoint", **config)
    model = model_folder.load(checkpoint, head="nsp")
    model_folder.save(model, folder / "model", checkpoint_dir=checkpoint)
    return folder / "model"


def write_features(path: Path, model_dir: Path, doc_lengths: list[int], **metadata) -> Features:
    """One paragraph, question and feature for each of these context lengths; random tokens."""
    rng = np.random.default_rng(0)
    count = len(doc_lengths)
    numbers = np.arange(count, dtype=np.int32)
    lengths = np.array(doc_lengths, np.int32)
    zeros = np.zeros(count, np.int32)
    vocab = np.arange(5, TINY["vocab_size"])
    made = Features(
        {
            "context_ids": rng.choice(vocab, lengths.sum()).astype(np.uint16),
            "context_words": np.concatenate([np.arange(n) for n in doc_lengths]).astype(np.uint16),
            "context_starts": starts_of(lengths),
            "question_ids": rng.choice(vocab, count * QUESTION_LENGTH).astype(np.uint16),
            "question_starts": starts_of([QUESTION_LENGTH] * count),
            "question_paragraph": numbers,
            "feature_question": numbers,
            "doc_start": zeros,
            "doc_length": lengths,
            "max_context_begin": zeros,
            "max_context_end": lengths,
        },
        {
            "version": features.VERSION,
            "max_seq_length": MAX_SEQ_LENGTH,
            "vocab_sha256": sha256(model_dir / "vocab.txt"),
            "cls": CLS,
            "sep": SEP,
            **metadata,
        },
    )
    features.write(path, made)
    return made
