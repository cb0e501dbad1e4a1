"""Checkpoints of three origins become folders that transformers loads."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForNextSentencePrediction,
    BertForPreTraining,
    BertForQuestionAnswering,
    BertModel,
)

from bertsquad.checkpoint import bundle
from bertsquad.checkpoint.conversion import convert
from converted import FILES, convert_folder, google_name, write_vocabulary


def expected_of(folder: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """What TensorFlow computed, and the input it computed it from."""
    expected = json.loads((folder / "expected.json").read_text())
    inputs = {
        "input_ids": torch.tensor([expected["input_ids"]]),
        "token_type_ids": torch.tensor([expected["segments"]]),
    }
    return expected, inputs


@pytest.mark.parametrize("name", ["google", "sharded"])
def test_google_s_checkpoint_computes_what_tensorflow_computes(
    name: str, tf_checkpoints: Path, tmp_path: Path
) -> None:
    done = convert_folder(tf_checkpoints / name, tmp_path)
    assert done.architecture == "BertForNextSentencePrediction"
    assert done.dropped == 6  # the five tensors of cls/predictions, and global_step
    expected, inputs = expected_of(tf_checkpoints / name)
    model = BertForNextSentencePrediction.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        hidden = model.bert(**inputs).last_hidden_state[0]
        relationship = model(**inputs).logits[0]
    np.testing.assert_allclose(hidden, expected["sequence_output"], atol=2e-5)
    np.testing.assert_allclose(relationship, expected["seq_relationship"], atol=2e-5)


def test_intel_s_fine_tuned_checkpoint_computes_what_tensorflow_computes(
    tf_checkpoints: Path, tmp_path: Path
) -> None:
    done = convert_folder(tf_checkpoints / "intel", tmp_path, origin="intel")
    assert done.architecture == "BertForQuestionAnswering"
    assert (done.layer_norm_eps, done.hidden_act) == (1e-3, "gelu")
    expected, inputs = expected_of(tf_checkpoints / "intel")
    model = BertForQuestionAnswering.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        outputs = model(**inputs)
    logits = torch.stack([outputs.start_logits[0], outputs.end_logits[0]], dim=-1)
    np.testing.assert_allclose(logits, expected["logits"], atol=2e-5)


@pytest.mark.parametrize("override", [{"layer_norm_eps": 1e-12}, {"gelu": "tanh"}])
def test_the_origin_s_epsilon_and_gelu_are_needed_for_that(
    override: dict[str, Any], tf_checkpoints: Path, tmp_path: Path
) -> None:
    convert_folder(tf_checkpoints / "intel", tmp_path, origin="intel", **override)
    expected, inputs = expected_of(tf_checkpoints / "intel")
    model = BertModel.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        hidden = model(**inputs).last_hidden_state[0]
    assert np.abs(hidden.numpy() - np.array(expected["sequence_output"])).max() > 2e-4


@pytest.mark.parametrize("kind", [BertForQuestionAnswering, BertForPreTraining])
def test_a_model_of_transformers_under_google_s_names_comes_back_equal(
    kind: type, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30,
        hidden_size=12,
        num_hidden_layers=3,
        num_attention_heads=3,
        intermediate_size=20,
        max_position_embeddings=10,
        hidden_act="gelu_pytorch_tanh",
    )
    model = kind(config).eval()
    kept = {k: v for k, v in model.state_dict().items() if not k.startswith("cls.predictions")}
    tensors = {}
    for name, values in kept.items():
        given, transposed = google_name(name)
        tensors[given] = (values.T if transposed else values).numpy()
    bundle.write(tmp_path / "bert_model.ckpt", tensors)
    (tmp_path / "bert_config.json").write_text(json.dumps(config.to_dict()))
    write_vocabulary(tmp_path / "vocab.txt", 30)
    convert_folder(tmp_path, tmp_path / "out")
    read = load_file(tmp_path / "out/model.safetensors")
    assert read.keys() == kept.keys()
    for name, values in kept.items():
        np.testing.assert_array_equal(read[name], values.numpy(), strict=True)
    if kind is BertForQuestionAnswering:
        inputs = {"input_ids": torch.tensor([[2, 9, 8, 3, 7, 3]])}
        with torch.no_grad():
            ours = BertForQuestionAnswering.from_pretrained(tmp_path / "out").eval()(**inputs)
            theirs = model(**inputs)
        torch.testing.assert_close(ours.start_logits, theirs.start_logits)
        torch.testing.assert_close(ours.end_logits, theirs.end_logits)


def test_a_real_encoder_of_hugging_face(minilm_dir: Path, tmp_path: Path) -> None:
    done = convert(
        minilm_dir / "model.safetensors",
        minilm_dir / "config.json",
        minilm_dir / "vocab.txt",
        tmp_path,
        origin="huggingface",
        casing="uncased",
    )
    assert done.architecture == "BertModel"
    assert done.parameters == 22_713_216
    assert (done.hidden_act, done.layer_norm_eps) == ("gelu", 1e-12)
    inputs = {"input_ids": torch.tensor([[101, 7592, 2088, 102]])}
    with torch.no_grad():
        ours = BertModel.from_pretrained(tmp_path).eval()(**inputs)
        theirs = BertModel.from_pretrained(minilm_dir).eval()(**inputs)
    # Not bit for bit: the library maps its files, and kernels choose their path by alignment.
    torch.testing.assert_close(ours.last_hidden_state, theirs.last_hidden_state)
    torch.testing.assert_close(ours.pooler_output, theirs.pooler_output)
    assert (tmp_path / "vocab.txt").read_bytes() == (minilm_dir / "vocab.txt").read_bytes()


def test_a_converted_folder_converts_to_itself(tf_checkpoints: Path, tmp_path: Path) -> None:
    convert_folder(tf_checkpoints / "intel", tmp_path / "one", origin="intel")
    one = tmp_path / "one"
    convert(
        one / "model.safetensors",
        one / "config.json",
        one / "vocab.txt",
        tmp_path / "two",
        origin="huggingface",
    )
    for name in FILES:
        assert (one / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_old_names_buffers_and_other_precisions_of_hugging_face(
    tf_checkpoints: Path, tmp_path: Path
) -> None:
    source = tf_checkpoints / "google"
    convert_folder(source, tmp_path)
    new = load_file(tmp_path / "model.safetensors")
    old = {"bert.embeddings.position_ids": np.arange(16)[None], "cls.predictions.bias": np.ones(30)}
    for name, values in new.items():
        if "LayerNorm" in name:
            name = name.replace("weight", "gamma").replace("bias", "beta")
        old[name] = values.astype("f2")
    save_file(old, tmp_path / "old.safetensors")
    convert(
        tmp_path / "old.safetensors",
        source / "bert_config.json",
        source / "vocab.txt",
        tmp_path / "again",
        origin="huggingface",
    )
    again = load_file(tmp_path / "again/model.safetensors")
    assert again.keys() == new.keys()
    for name, values in new.items():
        expected = values.astype("f2").astype("f4")
        np.testing.assert_array_equal(again[name], expected, strict=True)


@pytest.mark.parametrize(("name", "tokens"), [("google", ["A", "B"]), ("intel", ["a", "b"])])
def test_transformers_tokenizes_as_the_vocabulary_is_cased(
    name: str, tokens: list[str], tf_checkpoints: Path, tmp_path: Path
) -> None:
    convert_folder(tf_checkpoints / name, tmp_path, origin=name)
    assert AutoTokenizer.from_pretrained(tmp_path).tokenize("A B") == tokens


def test_the_configuration_is_transformers_own(google: Path, tmp_path: Path) -> None:
    convert_folder(google, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    config = BertConfig.from_pretrained(tmp_path / "out")
    assert config.architectures == ["BertForNextSentencePrediction"]
    assert config.hidden_act == "gelu_pytorch_tanh"
    assert config.layer_norm_eps == 1e-12
    assert config.pad_token_id == 0
    assert config.dtype == torch.float32
