"""What all contenders are given."""

from pathlib import Path

import numpy as np
import pytest

from bertsquad.console.errors import UserError
from bertsquad.model import folder as model_folder
from bertsquad.peers.materials import choose, find_squad, make_model

SMALL = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}


def test_without_the_dataset_it_says_what_to_download():
    with pytest.raises(UserError, match=r"SQUAD_DIR is not set; .*dev-v1\.1\.json.*download them"):
        find_squad(None)


def test_a_folder_that_lacks_a_file_is_named(tmp_path: Path):
    (tmp_path / "dev-v1.1.json").touch()
    with pytest.raises(UserError, match=rf"{tmp_path}: no train-v1\.1\.json there"):
        find_squad(str(tmp_path))


def test_the_model_loads_and_is_the_same_each_time(tmp_path: Path, uncased_vocab: Path):
    first = model_folder.load(make_model(tmp_path / "a", 2, uncased_vocab, **SMALL))
    again = model_folder.load(make_model(tmp_path / "b", 2, uncased_vocab, **SMALL))
    assert first.config.num_hidden_layers == 2
    assert all(
        (one == other).all()
        for one, other in zip(first.parameters(), again.parameters(), strict=True)
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_real_lengths_come_in_groups_of_neighbours_from_all_over_the_range():
    lengths = np.arange(100, 340)
    chosen = lengths[choose(lengths, "inference", "real", training=False)]
    middles = range(107, 340, 15)  # of 16 equal parts
    assert chosen.tolist() == [middle - 2 + n for middle in middles for n in range(4)]


def test_padded_features_are_spread_over_the_lengths():
    lengths = np.arange(100, 180)
    chosen = choose(lengths, "inference", "padded", training=False)
    assert lengths[chosen].tolist() == list(range(105, 180, 10))


def test_single_requests_have_about_the_median_length():
    lengths = np.arange(100, 201)
    assert lengths[choose(lengths, "inference", "single", training=False)].tolist() == [
        *(150, 151, 152, 153)
    ]


def test_training_on_full_sequences_takes_the_longest():
    lengths = np.r_[np.full(20, 100), np.full(20, 384)]
    assert set(lengths[choose(lengths, "training", "padded", training=True)]) == {384}
