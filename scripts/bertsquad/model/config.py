"""A model's config.json: read and checked; the tensors it calls for; what is written."""

import os
from collections.abc import Mapping
from typing import Any

from bertsquad.console.errors import UserError
from bertsquad.files import read_json

# The least and the most of each size. The most are far beyond any BERT: a damaged number must not
# allocate the machine's memory.
_SIZES = {
    "vocab_size": (1, 2**24),
    "hidden_size": (1, 2**16),
    "num_hidden_layers": (1, 1000),
    "num_attention_heads": (1, 2**16),
    "intermediate_size": (1, 2**18),
    "max_position_embeddings": (1, 2**20),
    "type_vocab_size": (2, 2**10),  # the question is one segment, the passage another
}
_PROPORTIONS = {  # BERT, appendix A.2; the defaults of BertConfig in modeling.py
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
}
# LayerNorm epsilon and GELU form. Google's and Intel's bert_config.json say neither; their code
# does. Google: the layer_norm of tf.contrib with its 1e-12, and GELU in the tanh form. Intel:
# Keras's LayerNormalization with its default 1e-3, and tf.nn.gelu, whose default in TensorFlow 2.4
# is the erf form. Which form Intel's own build computed is not on record; the two differ by at
# most 5e-4.
_ORIGINS = {"google": (1e-12, "tanh"), "intel": (1e-3, "erf"), "huggingface": (1e-12, "erf")}
_ACTIVATIONS = {"erf": "gelu", "tanh": "gelu_pytorch_tanh"}  # in the words of transformers
_EXPLICIT_FORMS = {"gelu_new": "tanh", "gelu_pytorch_tanh": "tanh"}


def read_config(
    path: str | os.PathLike[str],
    origin: str = "huggingface",
    *,
    layer_norm_eps: float | None = None,
    gelu: str | None = None,
) -> dict[str, Any]:
    """The configuration in a bert_config.json or config.json, in transformers' terms.

    `origin` is a key of _ORIGINS; a model folder's is "huggingface". `layer_norm_eps` and `gelu`
    ("erf" or "tanh") override what the file and its origin say. Raises `UserError` naming the key
    that is missing, out of range or asks for a model that is not a BERT encoder.
    """
    given = read_json(path)
    if not isinstance(given, dict):
        raise UserError(f"{path}: expected a JSON object with BERT's configuration")
    # First: of another model, the sizes have other names.
    _refuse_other_models(path, given)
    config: dict[str, Any] = {key: _size(path, given, key) for key in _SIZES}
    config |= {key: _proportion(path, given, key, value) for key, value in _PROPORTIONS.items()}
    if config["hidden_size"] % config["num_attention_heads"]:
        raise UserError(
            f"{path}: hidden_size {config['hidden_size']} is not a multiple of "
            f"num_attention_heads {config['num_attention_heads']}"
        )
    default_eps, default_gelu = _ORIGINS[origin]
    if layer_norm_eps is None:
        layer_norm_eps = given.get("layer_norm_eps", default_eps)
        if type(layer_norm_eps) not in (int, float) or not 0 < layer_norm_eps < 1:
            raise UserError(
                f"{path}: layer_norm_eps is {layer_norm_eps!r}; expected a number between 0 and 1"
            )
    activation = given.get("hidden_act", "gelu")
    if activation not in ("gelu", *_EXPLICIT_FORMS):
        expected = ", ".join(["gelu", *_EXPLICIT_FORMS])
        raise UserError(f"{path}: hidden_act is {activation!r}; expected one of {expected}")
    form = gelu or _EXPLICIT_FORMS.get(activation, default_gelu)
    return config | {"layer_norm_eps": layer_norm_eps, "hidden_act": _ACTIVATIONS[form]}


def encoder_shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The tensors every BERT has, by Hugging Face's names."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "bert.embeddings.word_embeddings.weight": (config["vocab_size"], width),
        "bert.embeddings.position_embeddings.weight": (config["max_position_embeddings"], width),
        "bert.embeddings.token_type_embeddings.weight": (config["type_vocab_size"], width),
        **_norm("bert.embeddings.LayerNorm", width),
    }
    for number in range(config["num_hidden_layers"]):
        layer = f"bert.encoder.layer.{number}"
        for projection in ("query", "key", "value"):
            shapes |= _dense(f"{layer}.attention.self.{projection}", width, width)
        shapes |= _dense(f"{layer}.attention.output.dense", width, width)
        shapes |= _norm(f"{layer}.attention.output.LayerNorm", width)
        shapes |= _dense(f"{layer}.intermediate.dense", width, inner)
        shapes |= _dense(f"{layer}.output.dense", inner, width)
        shapes |= _norm(f"{layer}.output.LayerNorm", width)
    return shapes


def head_shapes(config: Mapping[str, Any]) -> list[dict[str, tuple[int, ...]]]:
    """Parts a checkpoint may have, each whole or not at all: the pooler, the next-sentence head,
    the SQuAD head."""
    width = config["hidden_size"]
    return [
        _dense("bert.pooler.dense", width, width),
        _dense("cls.seq_relationship", width, 2),
        _dense("qa_outputs", width, 2),
    ]


def config_json(config: Mapping[str, Any], *, architecture: str, pad_id: int) -> dict[str, Any]:
    """What config.json holds: a transformers BertConfig."""
    return {
        **config,
        "architectures": [architecture],
        "model_type": "bert",
        "pad_token_id": pad_id,
        "position_embedding_type": "absolute",
        "torch_dtype": "float32",
    }


def _dense(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _size(path: str | os.PathLike[str], given: Mapping[str, Any], key: str) -> int:
    value = given.get(key)
    least, most = _SIZES[key]
    if type(value) is not int or value < least:
        found = "missing" if value is None else repr(value)
        why = ": BERT for question answering needs two segments" if least == 2 else ""
        raise UserError(f"{path}: {key} is {found}; expected a whole number, at least {least}{why}")
    if value > most:
        raise UserError(f"{path}: {key} is {value:,}; expected at most {most:,}")
    return value


def _proportion(
    path: str | os.PathLike[str], given: Mapping[str, Any], key: str, default: float
) -> float:
    value: float = given.get(key, default)
    if type(value) not in (int, float) or not 0 <= value < 1:
        raise UserError(f"{path}: {key} is {value!r}; expected a number from 0 to below 1")
    return value


def _refuse_other_models(path: str | os.PathLike[str], given: Mapping[str, Any]) -> None:
    required = {
        "model_type": "bert",
        "position_embedding_type": "absolute",
        "is_decoder": False,
        "add_cross_attention": False,
    }
    for key, value in required.items():
        if given.get(key, value) != value:
            raise UserError(
                f"{path}: {key} is {given[key]!r}; expected {value!r}: only BERT encoders are "
                "supported"
            )
