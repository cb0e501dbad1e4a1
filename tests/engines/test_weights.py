"""Weights without PyTorch: mapped, and refused where they are not a fine-tuned model's."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bertsquad.console.errors import UserError
from bertsquad.engines.weights import read_weights
from engines.small_run import write_finetuned


@pytest.fixture
def model_dir(tmp_path):
    return write_finetuned(tmp_path)


def change(model_dir, **tensors):
    """Store these tensors instead; None removes one."""
    path = model_dir / "model.safetensors"
    changed = load_file(path) | tensors
    save_file({name: tensor for name, tensor in changed.items() if tensor is not None}, path)


def test_they_are_those_of_the_file(model_dir):
    weights = read_weights(model_dir)
    stored = load_file(model_dir / "model.safetensors")
    assert weights.shapes.keys() == stored.keys()
    assert all(np.array_equal(weights.array(name), stored[name]) for name in stored)


def test_the_configuration_is_the_folders_own(tmp_path):
    model_dir = write_finetuned(tmp_path, hidden_act="gelu_new", layer_norm_eps=1e-3)
    config = read_weights(model_dir).config
    assert (config["hidden_act"], config["layer_norm_eps"]) == ("gelu_pytorch_tanh", 1e-3)


def test_a_missing_tensor_is_named(model_dir):
    change(model_dir, **{"qa_outputs.bias": None})
    with pytest.raises(UserError, match=r"the tensor qa_outputs\.bias is missing"):
        read_weights(model_dir)


def test_a_tensor_of_another_shape_is_named(model_dir):
    change(model_dir, **{"qa_outputs.bias": np.zeros(3, np.float32)})
    with pytest.raises(UserError, match=r"qa_outputs\.bias is \[3\]; config\.json asks for \[2\]"):
        read_weights(model_dir)


def test_a_tensor_of_another_type_is_named(model_dir):
    change(model_dir, **{"qa_outputs.bias": np.zeros(2, np.float16)})
    with pytest.raises(UserError, match=r"qa_outputs\.bias is not float32"):
        read_weights(model_dir)


def test_another_kind_of_model_is_refused(model_dir):
    path = model_dir / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": "roberta"}))
    with pytest.raises(UserError, match="model_type is 'roberta'"):
        read_weights(model_dir)
