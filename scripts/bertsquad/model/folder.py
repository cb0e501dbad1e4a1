"""Model folders: config.json, model.safetensors, vocab.txt, tokenizer_config.json.

A folder is either a converted checkpoint (the encoder, and where it had them the pooler, the
next-sentence head `cls.seq_relationship` and the answer head `qa_outputs`) or a fine-tuned model
(encoder and `qa_outputs`). Both load in `transformers`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from bertsquad import tensorfile
from bertsquad.console.errors import UserError
from bertsquad.files import read_json, refuse_lfs_pointer, write_json, written_whole
from bertsquad.model.bert import BertConfig, BertForQuestionAnswering
from bertsquad.model.config import read_config

_TOKENIZER_FILES = ("vocab.txt", "tokenizer_config.json")

# Tensors of a checkpoint that question answering has no use for.
_UNUSED = ("bert.pooler.", "cls.", "bert.embeddings.position_ids")

_HEADS = ("checkpoint", "normal", "nsp")


def load(
    model_dir: str | Path,
    *,
    head: str = "checkpoint",
    seed: int = 0,
    dropout: Mapping[str, float] | None = None,
) -> BertForQuestionAnswering:
    """The model of a folder, float32, in training mode.

    `head` is the source of `qa_outputs`: "checkpoint" takes the folder's own; "normal" draws a
    new one (truncated normal, zero bias: Google's run_squad.py) from `seed`; "nsp" copies the
    next-sentence head, which has the same shape (Intel's run_squad.py). `dropout` replaces the
    rates of config.json that it names.

    Raises UserError where a file is missing or not of its kind, or a tensor is missing, surplus or
    of the wrong shape.
    """
    stored = StoredTensors(model_dir, head=head)
    rates: dict[str, Any] = dict(dropout or {})
    config = replace(stored.config, **rates)
    model = empty(config)
    # Memory of our own and not the mapped file's: kernels round differently with the alignment of
    # their operands, and a resumed training must not.
    model.to_empty(device="cpu")
    for name, parameter in model.named_parameters():
        if stored.sources[name]:
            stored.copy(name, parameter.detach())
    if head == "normal":
        _draw_head(model, config.initializer_range, seed)
    return model


class StoredTensors:
    """The tensors of a model folder under the names of the model's parameters, read one by one.

    `head` is `load`'s; with "normal" there is no `qa_outputs`. Raises UserError as `load` does, for
    names at once, for shapes where a tensor is read.
    """

    def __init__(self, model_dir: str | Path, *, head: str = "checkpoint") -> None:
        self.config = BertConfig(**read_config(Path(model_dir) / "config.json"))
        self.path = Path(model_dir) / "model.safetensors"
        self.shapes = {name: p.shape for name, p in empty(self.config).named_parameters()}
        self.sources = {name: _head_source(name, head) for name in self.shapes}
        with _opened(self.path) as stored:
            _check_names(self.path, set(stored.keys()), self.sources, head)

    def read(self, names: Sequence[str], dtype: torch.dtype, *, transposed: bool = False) -> Tensor:
        """These tensors on top of each other, one tensor with memory of its own; in memory its
        columns lie one after the other if `transposed`, else its rows."""
        rows = [self.shapes[name][0] for name in names]
        shape = [sum(rows), *self.shapes[names[0]][1:]]
        whole = (
            torch.empty(shape[::-1], dtype=dtype).T
            if transposed
            else torch.empty(shape, dtype=dtype)
        )
        for name, part in zip(names, whole.split(rows), strict=True):
            self.copy(name, part)
        return whole

    def copy(self, name: str, into: Tensor) -> None:
        """Fill `into`, which has the parameter's shape, rounding to its type."""
        source = self.sources[name]
        # Opened anew for each: pages of the mapped file count as this process's memory, and a file
        # left open would count whole.
        with _opened(self.path) as stored:
            tensor = stored.get_tensor(source)
            if tensor.shape != self.shapes[name]:
                raise UserError(
                    f"{self.path}: the tensor {source} is {list(tensor.shape)}; config.json asks "
                    f"for {list(self.shapes[name])}"
                )
            into.copy_(tensor)


def empty(config: BertConfig) -> BertForQuestionAnswering:
    """A model without memory: no random numbers for values that are overwritten."""
    with torch.device("meta"):
        return BertForQuestionAnswering(config)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The safetensors file, or a UserError where it is missing or not of its kind."""
    try:
        with safe_open(path, framework="pt") as stored:
            yield stored
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; expected a model folder") from None
    except SafetensorError as error:
        refuse_lfs_pointer(path)
        raise UserError(
            f"{path}: not a whole safetensors file ({error}); make the model folder again"
        ) from None


def _head_source(name: str, head: str) -> str | None:
    """The stored tensor that parameter `name` is filled from, None for one that is drawn."""
    if not name.startswith("qa_outputs.") or head == "checkpoint":
        return name
    return name.replace("qa_outputs", "cls.seq_relationship") if head == "nsp" else None


def _check_names(path: Path, names: set[str], sources: dict[str, str | None], head: str) -> None:
    for name, source in sources.items():
        if source and source not in names:
            hint = "take another --head-init" if name != source or "qa_outputs" in name else ""
            raise UserError(
                f"{path}: the tensor {source} is missing; expected it "
                f"{f'for head initialisation {head!r}: {hint}' if hint else 'in a BERT encoder'}"
            )
    surplus = sorted(
        n for n in names - set(sources) if n.startswith("bert.") and not n.startswith(_UNUSED)
    )
    if surplus:
        raise UserError(
            f"{path}: the tensor {surplus[0]} belongs to no parameter of the model of config.json "
            f"({len(surplus)} such); expected the tensors of BertForQuestionAnswering"
        )


def _draw_head(model: BertForQuestionAnswering, deviation: float, seed: int) -> None:
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
    for name in _TOKENIZER_FILES:
        with written_whole(target / name) as part:
            shutil.copyfile(source / name, part)
    arrays = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    # transformers asks for the format.
    tensorfile.write(target / "model.safetensors", arrays, {"format": "pt"})
