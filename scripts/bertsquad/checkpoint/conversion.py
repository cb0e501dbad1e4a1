"""Any supported checkpoint, checked in full and written as a folder that transformers loads."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bertsquad.checkpoint.bundle import Bundle
from bertsquad.checkpoint.names import DROPPED, MAPS, Target
from bertsquad.checkpoint.shards import open_weights
from bertsquad.checkpoint.tokenizer_json import read_casing, read_tokens
from bertsquad.console.errors import UserError
from bertsquad.data.casing import GUESSED, TOKENIZER_CONFIG, Casing
from bertsquad.data.vocabulary import repeated_note
from bertsquad.files import write_json, write_text, written_whole
from bertsquad.model.config import (
    config_json,
    encoder_shapes,
    head_shapes,
    read_config,
)
from bertsquad.tensorfile import write_streamed

CONFIG, WEIGHTS, VOCABULARY = "config.json", "model.safetensors", "vocab.txt"
_LISTED = 5  # names an error gives before it only counts


class TensorReader(Protocol):
    """Where tensors come from: a TensorFlow checkpoint or safetensors files."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]: ...

    def read(self, name: str) -> np.ndarray: ...


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was converted."""

    architecture: str
    lowercase: bool
    parameters: int
    tensors: int
    dropped: int  # tensors that have no place in the folder
    left_out: list[str]  # those of them that are not known to go with a BERT: another task's head
    notes: list[str]  # what a user should know, a line each
    layer_norm_eps: float
    hidden_act: str


def convert(
    weights: str | os.PathLike[str],
    config: str | os.PathLike[str],
    vocabulary: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    origin: str,
    layer_norm_eps: float | None = None,
    gelu: str | None = None,
    casing: str | None = None,
    strip_accents: bool | None = None,
) -> Conversion:
    """Write `output`/config.json, model.safetensors (float32), vocab.txt, tokenizer_config.json.

    `weights` is a TensorFlow checkpoint's prefix, or where `origin` is "huggingface" a safetensors
    file, the index of several, or a folder with one of the two; their tensors may be float32,
    float16 or bfloat16. `vocabulary` is a vocab.txt or a tokenizer.json. `casing` is "cased" or
    "uncased" where the caller knows it, and `strip_accents` likewise; `read_casing` finds what is
    not given. Tensors that no BERT has, such as an optimizer's or another task's head, are left out
    and counted. Raises `UserError` before anything is written when the parts do not fit each other:
    a tensor that is missing or misshapen, one of an encoder of another form, a vocabulary with more
    tokens than the embedding has rows. A damaged tensor is found while writing; a folder that was
    there before then stays as it was.
    """
    settings = read_config(config, origin, layer_norm_eps=layer_norm_eps, gelu=gelu)
    tokens = read_tokens(vocabulary)
    notes = _check_vocabulary(vocabulary, tokens, settings)
    read_as = read_casing(vocabulary, tokens, casing=casing, strip_accents=strip_accents)
    source: TensorReader = open_weights(weights) if origin == "huggingface" else Bundle(weights)
    given_shapes = source.shapes
    plan, dropped, left_out = _plan(weights, given_shapes, settings, origin)
    shapes = {
        name: given_shapes[given][:: -1 if target.transposed else 1]
        for name, (given, target) in plan.items()
    }

    def fetch(name: str) -> np.ndarray:
        given, target = plan[name]
        values = source.read(given)
        if values.dtype.kind != "f":
            raise UserError(
                f"{weights}: tensor {given} holds {values.dtype} values; expected floating point"
            )
        return values.T if target.transposed else values

    output = Path(output)
    with written_whole(output / WEIGHTS) as part:
        layout = {name: (np.dtype("<f4"), shape) for name, shape in shapes.items()}
        write_streamed(part, layout, fetch, {"format": "pt"})  # transformers asks for the format
        # A folder without config.json is unfinished and nothing loads it: so it goes first and
        # comes last, and new weights never stand beside an old configuration.
        (output / CONFIG).unlink(missing_ok=True)
    write_text(output / VOCABULARY, "\n".join(tokens) + "\n")
    write_json(output / TOKENIZER_CONFIG, _tokenizer_config(settings, read_as))
    architecture = _architecture(shapes)
    pad_id = len(tokens) - 1 - tokens[::-1].index("[PAD]")
    write_json(output / CONFIG, config_json(settings, architecture=architecture, pad_id=pad_id))
    return Conversion(
        architecture=architecture,
        lowercase=read_as.lowercase,
        left_out=left_out,
        notes=notes,
        parameters=sum(int(np.prod(shape)) for shape in shapes.values()),
        tensors=len(shapes),
        dropped=dropped,
        layer_norm_eps=settings["layer_norm_eps"],
        hidden_act=settings["hidden_act"],
    )


def _check_vocabulary(
    path: str | os.PathLike[str], tokens: Sequence[str], config: Mapping[str, Any]
) -> list[str]:
    """What is to be said of the vocabulary; `UserError` when it cannot be the checkpoint's."""
    rows = config["vocab_size"]
    if len(tokens) > rows:
        raise UserError(
            f"{path}: {len(tokens):,} tokens; expected at most {rows:,}, the checkpoint's "
            "vocab_size: use the vocab.txt that came with the checkpoint"
        )
    notes = []
    if len(tokens) < rows:
        notes.append(
            f"{path}: {rows - len(tokens):,} of the embedding's {rows:,} rows have no token; "
            "they are kept"
        )
    if note := repeated_note(path, tokens):
        notes.append(note)
    return notes


def _plan(
    weights: str | os.PathLike[str],
    shapes: Mapping[str, tuple[int, ...]],
    config: Mapping[str, Any],
    origin: str,
) -> tuple[dict[str, tuple[str, Target]], int, list[str]]:
    """For every tensor to write, its name in the source and how it is turned; how many tensors are
    dropped; and the names of those that are unknown. `UserError` when a tensor is missing, of
    another encoder, there twice, or misshapen."""
    expected = encoder_shapes(config)
    targets = {given: MAPS[origin](given) for given in shapes}
    arrived = {target.name for target in targets.values() if target}
    for head in head_shapes(config):
        if arrived & head.keys():
            expected |= head

    plan: dict[str, tuple[str, Target]] = {}
    unknown, foreign, misshapen = [], [], []
    for given, target in targets.items():
        if target == DROPPED:
            continue
        if target is None:
            unknown.append(given)
            continue
        if target.name not in expected:
            foreign.append(given)  # an encoder with more than the configuration says
            continue
        if target.name in plan:
            raise UserError(
                f"{weights}: tensors {plan[target.name][0]} and {given} are both "
                f"{target.name}; expected one of them"
            )
        plan[target.name] = (given, target)
        shape = expected[target.name][:: -1 if target.transposed else 1]
        if shapes[given] != shape:
            misshapen.append(f"{given} is {list(shapes[given])}, expected {list(shape)}")
    missing = expected.keys() - plan.keys()
    if missing or foreign:
        unknown = foreign + (unknown if missing else [])
        problems = [f"{len(missing)} missing: {_listed(sorted(missing))}"] if missing else []
        problems += [f"{len(unknown)} unknown: {_listed(unknown)}"] if unknown else []
        raise UserError(f"{weights}: tensors {'; '.join(problems)}{_hint(unknown, origin)}")
    if misshapen:
        raise UserError(
            f"{weights}: tensors of another shape than the configuration says: "
            f"{_listed(misshapen)}: use the configuration that came with the checkpoint"
        )
    dropped = sum(target == DROPPED for target in targets.values())
    return plan, dropped + len(unknown), unknown


def _listed(names: Sequence[str]) -> str:
    if len(names) <= _LISTED:
        return ", ".join(names)
    return f"{', '.join(names[:3])} and {len(names) - 3} more"


def _hint(unknown: Sequence[str], origin: str) -> str:
    if origin == "google" and any("/layer_normalization" in name for name in unknown):
        return ". The norms have Intel's names: is the origin intel?"
    if any(".ATTRIBUTES/" in name for name in unknown):
        return ". This is an object-based TensorFlow 2 checkpoint; expected Google's variable names"
    return ". Expected the tensors of BERT as the configuration sizes it"


def _architecture(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The class of transformers that has all that was kept."""
    if "qa_outputs.weight" in shapes:
        return "BertForQuestionAnswering"
    if "cls.seq_relationship.weight" in shapes:
        return "BertForNextSentencePrediction"
    return "BertModel"


def _tokenizer_config(config: Mapping[str, Any], read_as: Casing) -> dict[str, Any]:
    said = (
        {}
        if read_as.strip_accents == read_as.lowercase
        else {"strip_accents": read_as.strip_accents}
    )
    if read_as.guessed:
        said[GUESSED] = True
    return {
        **said,
        "do_lower_case": read_as.lowercase,
        "model_max_length": config["max_position_embeddings"],
        "tokenizer_class": "BertTokenizer",
    }
