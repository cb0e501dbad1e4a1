"""What all contenders are given: one model with random weights, and the same real questions."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bertsquad.benchmark.workload import spread_over_lengths, spread_with_neighbours
from bertsquad.console.errors import UserError
from bertsquad.data.selection import select
from bertsquad.files import read_json, sha256, write_json, written_whole

if TYPE_CHECKING:
    from bertsquad.data.features import Features

_SQUAD_FILES = ("dev-v1.1.json", "train-v1.1.json")
_SQUAD_URL = "https://rajpurkar.github.io/SQuAD-explorer/dataset/"
MAX_SEQ_LENGTH, DOC_STRIDE, MAX_QUERY_LENGTH = 384, 128, 64

# BERT-Large; the number of layers is the contender's.
LARGE = {
    "hidden_size": 1024,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
# Features of a work, by task and form. Real lengths come in groups of neighbours in length, as in
# the whole development set, where about 30 features share each.
# Inference has 16 groups, so that each of two workers has several batches: with 4 batches for two,
# the longer half decides the time, which cost 18 %.
REAL_GROUPS = {"inference": 16, "training": 3, "memory": 1}
_PADDED_FEATURES = 8
_TRAINING_FEATURES = {"training": 4, "memory": 2}  # of max_seq_length tokens each
_QUESTIONS = 16  # from texts to answers
_LONGEST_CONTEXT = 10000  # characters: all
_REQUESTS = 4  # one after the other, all of about the median length


def find_squad(folder: str | None) -> dict[str, Path]:
    """The dataset's two files by name. UserError with what to download where one is absent."""
    if folder is not None:
        found = {name: Path(folder) / name for name in _SQUAD_FILES}
        missing = next((name for name, path in found.items() if not path.is_file()), None)
    if folder is None or missing:
        where = "SQUAD_DIR is not set" if folder is None else f"{folder}: no {missing} there"
        raise UserError(
            f"{where}; expected a folder with {' and '.join(_SQUAD_FILES)}: download them from "
            f"{_SQUAD_URL} and set SQUAD_DIR to their folder"
        )
    return found


def make_model(folder: Path, layers: int, vocab: Path, **shape: int) -> Path:
    """A model folder with weights drawn from a seed; kept where it is there already."""
    import torch

    from bertsquad.data.casing import find_casing
    from bertsquad.data.vocabulary import read_vocabulary
    from bertsquad.model import folder as model_folder
    from bertsquad.model.bert import BertConfig, BertForQuestionAnswering

    if (folder / "model.safetensors").exists():
        return folder
    tokens = read_vocabulary(vocab)
    source = folder.with_name(f"{folder.name}-tokenizer")
    source.mkdir(parents=True, exist_ok=True)
    sizes: dict[str, Any] = {**LARGE, **shape}
    config = BertConfig(vocab_size=len(tokens), num_hidden_layers=layers, **sizes)
    write_json(source / "config.json", {"model_type": "bert", **asdict(config)})
    lowercase = find_casing(vocab, tokens).lowercase
    write_json(
        source / "tokenizer_config.json",
        {"do_lower_case": lowercase, "tokenizer_class": "BertTokenizer"},
    )
    shutil.copyfile(vocab, source / "vocab.txt")
    model = BertForQuestionAnswering(config)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2:
                parameter.normal_(0.0, config.initializer_range, generator=generator)
            elif "LayerNorm" not in name:
                parameter.zero_()
    model_folder.save(model, folder, checkpoint_dir=source)
    shutil.rmtree(source)
    return folder


def make_features(dataset: Path, vocab: Path, *, training: bool) -> Features:
    """The features of a SQuAD file, with the guide's lengths."""
    from bertsquad.data import squad
    from bertsquad.data.featurization import featurize
    from bertsquad.data.tokenization import Vocabulary

    return featurize(
        squad.load(dataset, purpose="train" if training else "predict"),
        Vocabulary(vocab),
        max_seq_length=MAX_SEQ_LENGTH,
        doc_stride=DOC_STRIDE,
        max_query_length=MAX_QUERY_LENGTH,
        training=training,
    )


def choose(lengths: np.ndarray, task: str, form: str, training: bool) -> np.ndarray:
    """The features of a work, int64: the same for all contenders of one task and form."""
    order = np.argsort(lengths, kind="stable")
    if form == "single":
        middle = len(order) // 2
        return order[middle : middle + _REQUESTS]
    if form == "padded" and training:
        return order[-_TRAINING_FEATURES[task] :]
    if form == "padded":
        return spread_over_lengths(lengths, _PADDED_FEATURES)
    return spread_with_neighbours(lengths, REAL_GROUPS[task])


def write_features(path: Path, features: Features, numbers: np.ndarray) -> list[int]:
    """Write the features that scripts/peers/protocol.py reads; return their lengths."""
    batch = features.packed(numbers)
    unknown = np.zeros(0, np.int64)
    with written_whole(path) as part, part.open("wb") as handle:
        np.savez(
            handle,
            input_ids=batch.input_ids,
            segments=batch.segments,
            starts=batch.starts,
            start_positions=unknown if batch.start_positions is None else batch.start_positions,
            end_positions=unknown if batch.end_positions is None else batch.end_positions,
            max_seq_length=features.max_seq_length,
        )
    lengths: list[int] = batch.lengths.tolist()
    return lengths


def write_calibration(path: Path, features: Features, vocab: Path) -> None:
    """The features as a file that scripts/quantize.py takes."""
    from bertsquad.data.features import write

    features.metadata["vocab_sha256"] = sha256(vocab)
    write(path, features)


def write_questions(path: Path, dev: Path) -> None:
    """Some questions of the development set, evenly from all over it, as a SQuAD file."""
    write_json(path, select(read_json(dev), questions=_QUESTIONS, longest_context=_LONGEST_CONTEXT))
