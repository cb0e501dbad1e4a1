"""A checkpoint's configuration: what it must say, and what its origin says for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from bertsquad.console.errors import UserError
from bertsquad.model.config import encoder_shapes, head_shapes, read_config

GOOGLE = {
    "vocab_size": 28996,
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "directionality": "bidi",
    "pooler_type": "first_token_transform",
}


@pytest.fixture
def write(tmp_path: Path):
    def write(**changes: Any) -> Path:
        path = tmp_path / "bert_config.json"
        values = {k: v for k, v in (GOOGLE | changes).items() if v is not None}
        path.write_text(json.dumps(values))
        return path

    return write


@pytest.mark.parametrize(
    ("origin", "epsilon", "activation"),
    [
        ("google", 1e-12, "gelu_pytorch_tanh"),
        ("intel", 1e-3, "gelu"),
        ("huggingface", 1e-12, "gelu"),
    ],
)
def test_the_origin_decides_epsilon_and_gelu(
    origin: str, epsilon: float, activation: str, write: Any
) -> None:
    config = read_config(write(), origin)
    assert (config["layer_norm_eps"], config["hidden_act"]) == (epsilon, activation)


def test_what_the_file_says_outweighs_the_origin(write: Any) -> None:
    path = write(layer_norm_eps=1e-5, hidden_act="gelu_new")
    config = read_config(path, "intel")
    assert (config["layer_norm_eps"], config["hidden_act"]) == (1e-5, "gelu_pytorch_tanh")


def test_what_the_user_says_outweighs_both(write: Any) -> None:
    path = write(layer_norm_eps=1e-5, hidden_act="gelu_new")
    config = read_config(path, "google", layer_norm_eps=1e-6, gelu="erf")
    assert (config["layer_norm_eps"], config["hidden_act"]) == (1e-6, "gelu")


def test_optional_keys_have_bert_s_defaults_and_foreign_ones_are_left_out(write: Any) -> None:
    config = read_config(write(hidden_dropout_prob=None, initializer_range=None), "google")
    assert config["hidden_dropout_prob"] == 0.1
    assert config["initializer_range"] == 0.02
    assert "directionality" not in config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_size": None}, "vocab_size is missing; expected a whole number, at least 1"),
        ({"hidden_size": "1024"}, "hidden_size is '1024'"),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0"),
        ({"num_hidden_layers": True}, "num_hidden_layers is True"),
        ({"num_attention_heads": 15}, "hidden_size 1024 is not a multiple"),
        ({"hidden_dropout_prob": 1.5}, "hidden_dropout_prob is 1.5"),
        ({"layer_norm_eps": "1e-12"}, "layer_norm_eps is '1e-12'"),
        ({"hidden_act": "relu"}, "hidden_act is 'relu'; expected one of gelu, gelu_new"),
        ({"model_type": "roberta"}, "model_type is 'roberta'; expected 'bert'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is"),
        ({"is_decoder": True}, "is_decoder is True; expected False"),
    ],
)
def test_a_bad_configuration_names_the_key(
    changes: dict[str, Any], message: str, write: Any
) -> None:
    path = write(**changes)
    with pytest.raises(UserError) as error:
        read_config(path, "google")
    assert f"{path}: {message}" in str(error.value)


def test_a_configuration_is_an_object(tmp_path: Path) -> None:
    path = tmp_path / "bert_config.json"
    path.write_text("[]")
    with pytest.raises(UserError, match="expected a JSON object"):
        read_config(path, "google")


def test_bert_large_with_a_squad_head_has_333_581_314_parameters(write: Any) -> None:
    # 335,143,938 with the uncased vocabulary, in 393 tensors.
    for vocab_size, parameters in ((28_996, 333_581_314), (30_522, 335_143_938)):
        config = read_config(write(vocab_size=vocab_size), "google")
        pooler, _, squad = head_shapes(config)
        shapes = encoder_shapes(config) | pooler | squad
        assert len(shapes) == 393
        total = 0
        for shape in shapes.values():
            total += shape[0] * (shape[1] if len(shape) == 2 else 1)
        assert total == parameters
