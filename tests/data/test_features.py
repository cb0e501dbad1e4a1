"""The features file and the batches made from it."""

import json
from pathlib import Path

import numpy as np
import pytest

from bertsquad import tensorfile
from bertsquad.console.errors import UserError
from bertsquad.data import features
from bertsquad.data.features import Features
from bertsquad.data.featurization import featurize
from bertsquad.data.squad import Answer, Dataset, Paragraph, Question
from bertsquad.data.tokenization import Vocabulary

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d", "e", "f", "q", "?"]


@pytest.fixture
def made(tmp_path: Path) -> Features:
    """Three features: "q ?" on "a b c d e f" in two windows, and "q" on "c d"."""
    (tmp_path / "vocab.txt").write_text("\n".join(TOKENS) + "\n", encoding="utf-8")
    dataset = Dataset(
        "1.1",
        (
            Paragraph("", "a b c d e f", (Question("x", "q?", (Answer("e f", 8),)),)),
            Paragraph("", "c d", (Question("y", "q", (Answer("d", 2),)),)),
        ),
    )
    return featurize(
        dataset,
        Vocabulary(tmp_path / "vocab.txt"),
        max_seq_length=9,
        doc_stride=2,
        max_query_length=3,
        training=True,
    )


def test_windows_of_the_example(made: Features) -> None:
    assert len(made) == 3
    assert made.training
    assert made.max_seq_length == 9
    assert made.feature_question.tolist() == [0, 0, 1]
    assert made.doc_start.tolist() == [0, 2, 0]
    assert made.doc_length.tolist() == [4, 4, 2]
    assert made.max_context_begin.tolist() == [0, 3, 0]
    assert made.max_context_end.tolist() == [3, 6, 2]
    assert made.lengths.tolist() == [9, 9, 6]
    assert made.lengths.dtype == np.int32


def test_a_packed_batch_holds_features_end_to_end(made: Features) -> None:
    batch = made.packed([2, 1])
    words = [TOKENS[id] for id in batch.input_ids]
    assert " ".join(words) == "[CLS] q [SEP] c d [SEP] [CLS] q ? [SEP] c d e f [SEP]"
    assert batch.positions.tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert batch.segments.tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    assert batch.starts.tolist() == [0, 6, 15]
    assert batch.indices.tolist() == [2, 1]
    assert batch.start_positions.tolist() == [4, 6]
    assert batch.end_positions.tolist() == [4, 7]
    for array in (batch.input_ids, batch.positions, batch.segments, batch.starts, batch.indices):
        assert array.dtype == np.int64
    assert batch.start_positions.dtype == np.int64


def test_an_empty_batch(made: Features) -> None:
    batch = made.packed([])
    assert (len(batch), batch.tokens) == (0, 0)
    assert made.padded([])[0].shape == (0, 9)


def test_a_feature_may_be_asked_for_twice(made: Features) -> None:
    batch = made.packed(np.array([2, 2]))
    assert batch.input_ids[:6].tolist() == batch.input_ids[6:].tolist()


def test_padded_is_packed_with_zeros_after_it(made: Features) -> None:
    input_ids, input_mask, segment_ids = made.padded([0, 2])
    assert input_ids.tolist() == [[2, 10, 11, 3, 4, 5, 6, 7, 3], [2, 10, 3, 6, 7, 3, 0, 0, 0]]
    assert input_mask.tolist() == [[1] * 9, [1, 1, 1, 1, 1, 1, 0, 0, 0]]
    assert segment_ids.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 0, 0, 0]]
    assert {input_ids.dtype, input_mask.dtype, segment_ids.dtype} == {np.dtype(np.int64)}


def test_what_is_written_is_opened(made: Features, tmp_path: Path) -> None:
    made.metadata["dataset_sha256"] = "abc"
    features.write(tmp_path / "x.safetensors", made)
    opened = Features.open(tmp_path / "x.safetensors")
    assert opened.metadata == made.metadata
    assert opened.training
    assert opened.lengths.tolist() == made.lengths.tolist()
    assert opened.arrays.keys() == made.arrays.keys()
    for name, array in made.arrays.items():
        assert opened.arrays[name].dtype == array.dtype
        assert opened.arrays[name].tolist() == array.tolist()
    indices = [1, 0, 2]
    assert opened.packed(indices).input_ids.tolist() == made.packed(indices).input_ids.tolist()


def test_equal_features_give_equal_bytes(made: Features, tmp_path: Path) -> None:
    features.write(tmp_path / "one", made)
    features.write(tmp_path / "two", made)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_features_for_predicting_have_no_targets(made: Features, tmp_path: Path) -> None:
    for name in features.TARGETS:
        del made.arrays[name]
    features.write(tmp_path / "x", made)
    opened = Features.open(tmp_path / "x")
    assert not opened.training
    assert opened.packed([0]).start_positions is None


def test_another_safetensors_file_is_a_user_error(tmp_path: Path) -> None:
    tensorfile.write(tmp_path / "x", {"weights": np.zeros(3, np.float32)}, {})
    with pytest.raises(UserError, match="not a features file"):
        Features.open(tmp_path / "x")


def test_features_of_another_version_are_a_user_error(made: Features, tmp_path: Path) -> None:
    metadata = {"features": json.dumps(made.metadata | {"version": 0})}
    tensorfile.write_checked(tmp_path / "x", made.arrays, metadata)
    with pytest.raises(UserError, match="features in format 0; expected 1: make it again"):
        Features.open(tmp_path / "x")


def test_ranges() -> None:
    found = features.ranges(np.array([5, 9, 0]), np.array([3, 0, 2]))
    assert found.tolist() == [5, 6, 7, 0, 1]
