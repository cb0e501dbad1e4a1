"""Small random BERT models for tests, and their twins in `transformers`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file

from bertsquad.data.batching import PackedBatch, pack

TINY = {
    "model_type": "bert",
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 40,
    "type_vocab_size": 2,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-12,
}


def write_model_folder(
    folder: Path,
    *,
    seed: int = 0,
    spread: float = 0.2,
    vocab: list[str] | None = None,
    **config: Any,
) -> Path:
    """A converted checkpoint: encoder, pooler, next-sentence head, no answer head.

    `spread` is the deviation of the random weights; 0.2 makes attention far from uniform.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = {**TINY, **config}
    reference = transformers.BertForPreTraining(transformers.BertConfig(**values))
    generator = torch.Generator().manual_seed(seed)
    tensors = {
        name: tensor + spread * torch.randn(tensor.shape, generator=generator)
        if "LayerNorm" in name
        else spread * torch.randn(tensor.shape, generator=generator)
        for name, tensor in reference.state_dict().items()
        if not name.startswith("cls.predictions.")
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(values))
    tokens = vocab or [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]",
        *(f"w{number}" for number in range(values["vocab_size"] - 5)),
    ]  # fmt: skip
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in tokens))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"do_lower_case": True, "tokenizer_class": "BertTokenizer"})
    )
    return folder


def add_answer_head(folder: Path, *, seed: int = 1) -> Path:
    """Make a model of a converted checkpoint: with a random answer head."""
    tensors = load_file(folder / "model.safetensors")
    generator = torch.Generator().manual_seed(seed)
    width = tensors["bert.pooler.dense.weight"].shape[0]
    tensors["qa_outputs.weight"] = torch.randn(2, width, generator=generator)
    tensors["qa_outputs.bias"] = torch.zeros(2)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def transformers_twin(model_dir: Path, model: torch.nn.Module, **config: Any) -> torch.nn.Module:
    """transformers' model with the weights of `model`."""
    values = json.loads((model_dir / "config.json").read_text())
    twin = transformers.BertForQuestionAnswering(transformers.BertConfig(**values, **config))
    twin.load_state_dict(model.state_dict())
    return twin


def random_batch(lengths: list[int], *, seed: int = 0, vocab_size: int = 64) -> PackedBatch:
    """Sequences of random tokens (no [PAD]: transformers never trains it), a random answer each."""
    rng = np.random.default_rng(seed)
    starts = [int(rng.integers(length)) for length in lengths]
    return pack(
        [rng.integers(1, vocab_size, size=length) for length in lengths],
        [np.arange(length) >= length // 3 for length in lengths],
        start_positions=starts,
        end_positions=[int(rng.integers(s, n)) for s, n in zip(starts, lengths, strict=True)],
    )


def padded(batch: PackedBatch, max_seq_length: int) -> tuple[torch.Tensor, ...]:
    """input_ids, input_mask, segment_ids: int64[B, max_seq_length] each."""
    arrays = torch.zeros(3, len(batch), max_seq_length, dtype=torch.int64)
    for row, (start, length) in enumerate(zip(batch.starts, batch.lengths, strict=False)):
        tokens = slice(start, start + length)
        arrays[0, row, :length] = torch.from_numpy(batch.input_ids[tokens])
        arrays[1, row, :length] = 1
        arrays[2, row, :length] = torch.from_numpy(batch.segments[tokens])
    return tuple(arrays)
