"""How much there is to compute, before and after the files are there."""

import json

import numpy as np
import pytest

from bertsquad import tensorfile
from bertsquad.benchmark.flops import useful_flops
from bertsquad.benchmark.squad_lengths import read_lengths
from bertsquad.experiment.amounts import BERT_LARGE, Amounts, Shape, windows
from experiment.test_files import experiment


def test_operations_are_those_of_the_benchmark():
    config = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24}
    lengths = np.array([100, 384])
    counted = BERT_LARGE.flops(484, 100**2 + 384**2)
    assert counted == pytest.approx(useful_flops(config, lengths))


def test_shipped_checkpoints_have_a_known_shape():
    assert Amounts(experiment()).shape("demo-fp32") == Shape(128, 2, 512)
    assert Amounts(experiment("minilm.yaml")).shape("minilm-bf16") == Shape(384, 6, 1536)
    assert Amounts(experiment("guide.yaml")).shape("intel-published") == BERT_LARGE


def test_squad_is_about_as_much_as_its_features_hold():
    """One epoch of train-v1.1.json was 15.1 million tokens (docs/results/minilm)."""
    found = Amounts(experiment("minilm.yaml")).questions("minilm-bf16", "train")
    assert found.questions == 87_599
    assert found.tokens == pytest.approx(15.1e6, rel=0.03)
    lengths = read_lengths().astype(np.int64)
    dev = Amounts(experiment("minilm.yaml")).questions("minilm-bf16", "dev")
    assert dev.features == pytest.approx(len(lengths), rel=0.03)
    assert dev.tokens == pytest.approx(int(lengths.sum()), rel=0.03)
    assert dev.squared == pytest.approx(int(np.square(lengths).sum()), rel=0.03)


def test_long_passages_become_several_windows():
    found = windows(100, 400, max_length=384, stride=128)
    assert (found.features, found.tokens) == (200, 76_800)


def test_features_that_are_there_are_counted(tmp_path):
    made = experiment()
    path = tmp_path / made.features_file("demo-fp32", "dev")
    path.parent.mkdir(parents=True)
    arrays = {
        "doc_length": np.array([10, 20, 5], np.int32),
        "feature_question": np.array([0, 0, 1], np.int32),
        "question_starts": np.array([0, 4, 10], np.int64),
    }
    tensorfile.write(path, arrays, {})
    here = type(made)(made.config, made.catalogue, lambda text: str(tmp_path / made.place(text)))
    found = Amounts(here).questions("demo-fp32", "dev")
    # [CLS], two [SEP], the question, the window.
    assert (found.questions, found.features) == (2, 3)
    assert (found.tokens, found.squared) == (17 + 27 + 14, 17**2 + 27**2 + 14**2)


def test_a_model_of_ones_own_tells_its_shape(tmp_path):
    made = experiment()
    folder = tmp_path / made.checkpoint_folder("demo-fp32")
    folder.mkdir(parents=True)
    config = {"hidden_size": 64, "num_hidden_layers": 3, "intermediate_size": 256}
    (folder / "config.json").write_text(json.dumps(config))
    here = type(made)(made.config, made.catalogue, lambda text: str(tmp_path / made.place(text)))
    assert Amounts(here).shape("demo-fp32") == Shape(64, 3, 256)


def test_of_so_many_features_and_padded():
    found = windows(100, 100, max_length=384, stride=128).of(10)
    assert (found.features, found.tokens) == (10, 1000)
    assert found.padded(384).tokens == 3840
