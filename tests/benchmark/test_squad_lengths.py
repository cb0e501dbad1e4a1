"""squad_lengths.py: the numbers shipped are those of the real development set."""

import numpy as np
import pytest

from bertsquad.benchmark.squad_lengths import MAX_SEQ_LENGTH, read_lengths
from bertsquad.data import squad
from bertsquad.data.featurization import featurize
from bertsquad.data.tokenization import Vocabulary


def test_the_development_set_has_10_833_features_of_178_tokens():
    lengths = read_lengths()
    assert len(lengths) == 10833
    assert lengths.mean() == pytest.approx(178.494, abs=1e-3)
    assert (lengths.min(), np.median(lengths), lengths.max()) == (41, 164, MAX_SEQ_LENGTH)


@pytest.mark.real_data
def test_they_are_those_of_the_real_questions(squad_dir, uncased_vocab):
    made = featurize(
        squad.load(squad_dir / "dev-v1.1.json"),
        Vocabulary(uncased_vocab),
        max_seq_length=MAX_SEQ_LENGTH,
        doc_stride=128,
        max_query_length=64,
        training=False,
    )
    assert np.sort(made.lengths).tolist() == read_lengths().tolist()
