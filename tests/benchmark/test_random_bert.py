"""random_bert.py: a model and features like any others, but for what they mean."""

import numpy as np
import pytest
from safetensors.numpy import load_file
from transformers import AutoModelForQuestionAnswering

from bertsquad.benchmark.random_bert import BERT_LARGE, random_features, write_model
from bertsquad.benchmark.squad_lengths import read_lengths
from bertsquad.data.vocabulary import is_lowercase, read_vocabulary
from bertsquad.model import folder as model_folder
from bertsquad.model.config import encoder_shapes
from bertsquad.model.fit import check_fit

SMALL = BERT_LARGE | {
    "vocab_size": 300,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 128,
    "max_position_embeddings": 384,
}


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("random") / "model"
    write_model(folder, SMALL, seed=0)
    return folder


def test_bert_large_has_335_million_parameters_in_24_layers():
    shapes = encoder_shapes(BERT_LARGE)
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 334_092_288
    assert "bert.encoder.layer.23.output.dense.weight" in shapes


def test_it_loads_as_a_fine_tuned_model(model_dir):
    config = model_folder.load(model_dir).config
    assert (config.hidden_size, config.num_hidden_layers, config.hidden_act) == (64, 2, "gelu")
    AutoModelForQuestionAnswering.from_pretrained(model_dir)


def test_weights_are_normal_and_norms_do_nothing(model_dir):
    tensors = load_file(model_dir / "model.safetensors")
    weight = tensors["bert.encoder.layer.1.intermediate.dense.weight"]
    assert weight.std() == pytest.approx(0.02, rel=0.05)
    assert abs(weight.mean()) < 0.001
    assert (tensors["bert.encoder.layer.0.output.LayerNorm.weight"] == 1).all()
    assert (tensors["bert.encoder.layer.0.output.LayerNorm.bias"] == 0).all()
    assert tensors["qa_outputs.weight"].any()


def test_the_same_seed_gives_the_same_bytes(model_dir, tmp_path):
    write_model(tmp_path, SMALL, seed=0)
    weights = (tmp_path / "model.safetensors").read_bytes()
    assert weights == (model_dir / "model.safetensors").read_bytes()
    write_model(tmp_path, SMALL, seed=1)
    assert weights != (tmp_path / "model.safetensors").read_bytes()


def test_the_vocabulary_is_one(model_dir):
    tokens = read_vocabulary(model_dir / "vocab.txt")
    assert len(tokens) == 300
    assert tokens[101:103] == ["[CLS]", "[SEP]"]
    assert is_lowercase(tokens)


def test_features_have_the_lengths_asked_for_and_fit_the_model(model_dir):
    lengths = read_lengths()
    features = random_features(lengths, model_dir, max_seq_length=384, seed=0)
    check_fit(model_dir, features, "features")
    assert features.lengths.tolist() == lengths.tolist()
    batch = features.packed([0, 10832])
    assert batch.lengths.tolist() == [41, 384]
    first = batch.input_ids[:41]
    assert (first[0], first[13], first[40]) == (101, 102, 102)
    words = np.delete(first, [0, 13, 40])
    assert words.min() > 103
    assert words.max() < 300
    assert len(set(words.tolist())) > 20
    assert batch.segments[:41].tolist() == [0] * 14 + [1] * 27


def test_a_length_without_room_for_a_passage_is_refused(model_dir):
    with pytest.raises(ValueError, match="a length of 15 leaves no room"):
        random_features(np.array([15]), model_dir, max_seq_length=384, seed=0)
