"""Where tensors of each origin go, by name alone."""

import pytest

from bertsquad.checkpoint.names import (
    DROPPED,
    Target,
    from_google,
    from_huggingface,
    from_intel,
)


@pytest.mark.parametrize(
    ("name", "target", "transposed"),
    [
        ("bert/embeddings/word_embeddings", "bert.embeddings.word_embeddings.weight", False),
        ("bert/embeddings/LayerNorm/gamma", "bert.embeddings.LayerNorm.weight", False),
        ("bert/embeddings/LayerNorm/beta", "bert.embeddings.LayerNorm.bias", False),
        ("bert/encoder/layer_0/attention/self/query/kernel",
         "bert.encoder.layer.0.attention.self.query.weight", True),
        ("bert/encoder/layer_23/attention/self/value/bias",
         "bert.encoder.layer.23.attention.self.value.bias", False),
        ("bert/encoder/layer_10/attention/output/LayerNorm/beta",
         "bert.encoder.layer.10.attention.output.LayerNorm.bias", False),
        ("bert/encoder/layer_1/intermediate/dense/kernel",
         "bert.encoder.layer.1.intermediate.dense.weight", True),
        ("bert/pooler/dense/kernel", "bert.pooler.dense.weight", True),
        ("cls/seq_relationship/output_weights", "cls.seq_relationship.weight", False),
        ("cls/squad/output_weights", "qa_outputs.weight", False),
        ("cls/squad/output_bias", "qa_outputs.bias", False),
    ],
)  # fmt: skip
def test_google_s_names(name: str, target: str, transposed: bool) -> None:
    assert from_google(name) == Target(target, transposed)
    assert from_intel(name) == Target(target, transposed)


@pytest.mark.parametrize(
    "name",
    [
        "global_step",
        "bert/encoder/layer_0/output/dense/kernel/adam_m",
        "cls/squad/output_bias/adam_v",
        "cls/predictions/output_bias",
        "cls/predictions/transform/LayerNorm/gamma",
    ],
)
def test_what_only_training_needs_is_dropped(name: str) -> None:
    assert from_google(name) == DROPPED
    assert from_intel(name) == DROPPED


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("bert/embeddings/layer_normalization/gamma", "bert.embeddings.LayerNorm.weight"),
        ("bert/encoder/layer_0/attention/output/layer_normalization_1/beta",
         "bert.encoder.layer.0.attention.output.LayerNorm.bias"),
        ("bert/encoder/layer_23/output/layer_normalization_48/gamma",
         "bert.encoder.layer.23.output.LayerNorm.weight"),
        # Numbered in each scope, or not at all: the scope still says which norm it is.
        ("bert/encoder/layer_23/output/layer_normalization/gamma",
         "bert.encoder.layer.23.output.LayerNorm.weight"),
    ],
)  # fmt: skip
def test_intel_s_numbered_norms_are_told_by_their_scope(name: str, target: str) -> None:
    assert from_intel(name) == Target(target)
    assert from_intel(f"{name}/adam_m") == DROPPED


def test_intel_s_norms_are_unknown_to_google() -> None:
    assert from_google("bert/encoder/layer_0/output/layer_normalization_2/gamma") is None


@pytest.mark.parametrize(
    "name",
    [
        "output_weights",  # Google's classifier
        "bert/encoder/layer_0/output/dense/weight",  # its orientation would be unknown
        "bert/embeddings/LayerNorm/weight",
        "bert/embeddings/LayerNorm/kernel",
        "model/layer/kernel",
        "",
    ],
)
def test_other_names_are_unknown(name: str) -> None:
    assert from_google(name) is None


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("embeddings.word_embeddings.weight", "bert.embeddings.word_embeddings.weight"),
        ("bert.embeddings.word_embeddings.weight", "bert.embeddings.word_embeddings.weight"),
        ("encoder.layer.5.output.LayerNorm.gamma", "bert.encoder.layer.5.output.LayerNorm.weight"),
        ("bert.embeddings.LayerNorm.beta", "bert.embeddings.LayerNorm.bias"),
        ("pooler.dense.bias", "bert.pooler.dense.bias"),
        ("qa_outputs.weight", "qa_outputs.weight"),
        ("cls.seq_relationship.bias", "cls.seq_relationship.bias"),
    ],
)
def test_hugging_face_s_names(name: str, target: str) -> None:
    assert from_huggingface(name) == Target(target)


@pytest.mark.parametrize(
    "name",
    [
        "embeddings.position_ids",
        "bert.embeddings.position_ids",
        "cls.predictions.bias",
        "cls.predictions.decoder.weight",
    ],
)
def test_hugging_face_s_buffers_and_language_model_head_are_dropped(name: str) -> None:
    assert from_huggingface(name) == DROPPED


def test_another_model_s_names_are_unknown() -> None:
    assert from_huggingface("classifier.weight") is None
    assert from_huggingface("roberta.embeddings.word_embeddings.weight") is None
