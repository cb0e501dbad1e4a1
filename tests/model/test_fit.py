"""Features that were not made for a model are refused."""

import pytest

from bertsquad.console.errors import UserError
from bertsquad.data.features import Features
from bertsquad.model.fit import check_fit
from engines.small_run import write_features, write_finetuned


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return write_finetuned(tmp_path_factory.mktemp("run"))


def checked(path, model_dir, **metadata):
    write_features(path, model_dir, [5, 6], **metadata)
    check_fit(model_dir, Features.open(path), path)


def test_features_made_with_the_models_vocabulary_fit(tmp_path, model_dir):
    checked(tmp_path / "features", model_dir)


def test_features_of_another_vocabulary_are_refused(tmp_path, model_dir):
    with pytest.raises(UserError, match="made with a vocabulary of SHA-256 0123456789ab"):
        checked(tmp_path / "features", model_dir, vocab_sha256="0123456789abcdef" * 4)


def test_features_longer_than_the_models_positions_are_refused(tmp_path, model_dir):
    with pytest.raises(UserError, match=r"made for 512 tokens, but .* max_position_embeddings 40"):
        checked(tmp_path / "features", model_dir, max_seq_length=512)
