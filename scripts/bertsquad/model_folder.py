"""Model folders: config.json, model.safetensors, vocab.txt, tokenizer_config.json.

A folder is either a converted checkpoint (the encoder, and where it had them the pooler, the
next-sentence head `cls.seq_relationship` and the answer head `qa_outputs`) or a fine-tuned model
(encoder and `qa_outputs`). Both load in `transformers`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from bertsquad.bert import GELU_FORMS, BertConfig, BertForQuestionAnswering
from bertsquad.errors import UserError
from bertsquad.files import read_json, write_json, written_whole

TOKENIZER_FILES = ("vocab.txt", "tokenizer_config.json")

# Tensors of a checkpoint that question answering has no use for.
UNUSED = ("bert.pooler.", "cls.", "bert.embeddings.position_ids")

HEADS = ("checkpoint", "normal", "nsp")


def load(
    model_dir: str | Path,
    *,
    head: str = "checkpoint",
    seed: int = 0,
    dropout: Mapping[str, float] | None = None,
) -> BertForQuestionAnswering:
    """The model of a folder, float32, in training mode.

    `head` says where `qa_outputs` comes from: "checkpoint" takes the folder's own; "normal" draws a
    new one (truncated normal, zero bias: Google's run_squad.py) from `seed`; "nsp" copies the
    next-sentence head, which has the same shape (Intel's run_squad.py). `dropout` replaces the
    rates of config.json that it names.

    Raises UserError where a file is missing or not of its kind, or a tensor is missing, surplus or
    of the wrong shape.
    """
    path = Path(model_dir) / "model.safetensors"
    config = replace(read_config(model_dir), **(dropout or {}))
    with torch.device("meta"):  # no memory and no random numbers for values that are overwritten
        model = BertForQuestionAnswering(config)
    # Memory of our own and not the mapped file's: kernels round differently with the alignment of
    # their operands, and a resumed training must not.
    model.to_empty(device="cpu")
    parameters = dict(model.named_parameters())
    sources = {name: head_source(name, head) for name in parameters}
    try:
        with safe_open(path, framework="pt") as stored, torch.no_grad():
            names = set(stored.keys())
            check_names(path, names, sources, head)
            for name, parameter in parameters.items():
                if sources[name]:
                    copy_checked(path, sources[name], stored.get_tensor(sources[name]), parameter)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; expected a model folder") from None
    except SafetensorError as error:
        raise UserError(
            f"{path}: not a whole safetensors file ({error}); make the model folder again"
        ) from None
    if head == "normal":
        draw_head(model, config.initializer_range, seed)
    return model


def read_config(model_dir: str | Path) -> BertConfig:
    """The BertConfig of a model folder; UserError for a key that is missing or not supported."""
    path = Path(model_dir) / "config.json"
    values = read_json(path)
    missing = [f.name for f in fields(BertConfig) if f.default is MISSING and f.name not in values]
    if missing:
        raise UserError(f"{path}: the key {missing[0]} is missing; expected a BERT configuration")
    config = BertConfig(**{f.name: values[f.name] for f in fields(BertConfig) if f.name in values})
    if config.hidden_act not in GELU_FORMS:
        raise UserError(
            f"{path}: hidden_act is {config.hidden_act!r}; expected one of {', '.join(GELU_FORMS)}"
        )
    if config.hidden_size % config.num_attention_heads:
        raise UserError(
            f"{path}: hidden_size {config.hidden_size} is not a multiple of "
            f"num_attention_heads {config.num_attention_heads}"
        )
    if values.get("position_embedding_type", "absolute") != "absolute":
        raise UserError(
            f"{path}: position_embedding_type is {values['position_embedding_type']!r}; "
            "expected absolute, as BERT has"
        )
    return config


def head_source(name: str, head: str) -> str | None:
    """The stored tensor that parameter `name` is filled from, None for one that is drawn."""
    if not name.startswith("qa_outputs.") or head == "checkpoint":
        return name
    return name.replace("qa_outputs", "cls.seq_relationship") if head == "nsp" else None


def check_names(path: Path, names: set[str], sources: dict[str, str | None], head: str) -> None:
    for name, source in sources.items():
        if source and source not in names:
            hint = "take another --head-init" if name != source or "qa_outputs" in name else ""
            raise UserError(
                f"{path}: the tensor {source} is missing; expected it "
                f"{f'for head initialisation {head!r}: {hint}' if hint else 'in a BERT encoder'}"
            )
    surplus = sorted(n for n in names - set(sources) if not n.startswith(UNUSED))
    if surplus:
        raise UserError(
            f"{path}: the tensor {surplus[0]} belongs to no parameter of the model of config.json "
            f"({len(surplus)} such); expected the tensors of BertForQuestionAnswering"
        )


def copy_checked(path: Path, name: str, tensor: Tensor, parameter: Tensor) -> None:
    if tensor.shape != parameter.shape:
        raise UserError(
            f"{path}: the tensor {name} is {list(tensor.shape)}; config.json asks for "
            f"{list(parameter.shape)}"
        )
    parameter.copy_(tensor)


def draw_head(model: BertForQuestionAnswering, deviation: float, seed: int) -> None:
    """tf.truncated_normal_initializer: values beyond two standard deviations are drawn again."""
    generator = torch.Generator().manual_seed(seed)
    weight = model.qa_outputs.weight
    torch.nn.init.trunc_normal_(
        weight, std=deviation, a=-2 * deviation, b=2 * deviation, generator=generator
    )
    torch.nn.init.zeros_(model.qa_outputs.bias)


def save(
    model: BertForQuestionAnswering, model_dir: str | Path, *, checkpoint_dir: str | Path
) -> None:
    """Write a model folder; configuration and tokenizer are those of `checkpoint_dir`.

    Each file is written whole, the weights last.
    """
    source, target = Path(checkpoint_dir), Path(model_dir)
    config = read_json(source / "config.json")
    config["architectures"] = [type(model).__name__]
    write_json(target / "config.json", config)
    for name in TOKENIZER_FILES:
        with written_whole(target / name) as part:
            shutil.copyfile(source / name, part)
    with written_whole(target / "model.safetensors") as part:
        # transformers asks for the format.
        save_file(model.state_dict(), part, metadata={"format": "pt"})
        part.chmod(0o644)  # the library writes for the owner alone, and others serve the model
