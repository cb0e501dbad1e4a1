"""The plain Python contender equals Google's own code."""

import functools
from pathlib import Path
from typing import Any

import pytest

from plain_run_squad import basic_tokens, features_of, tokenize


@pytest.fixture(scope="module")
def vocabulary(uncased_vocab: Path) -> dict[str, int]:
    tokens = uncased_vocab.read_text(encoding="utf-8").rstrip("\n").split("\n")
    return {token: number for number, token in enumerate(tokens)}


def test_tokens_of_an_uncased_vocabulary(golden: dict[str, Any], vocabulary: dict[str, int]):
    for entry in golden["tokenize_uncased"]:
        assert basic_tokens(entry["text"], True) == entry["basic"]
        assert tokenize(entry["text"], vocabulary, True) == entry["wordpiece"]


def test_basic_tokens_of_a_cased_one(golden: dict[str, Any]):
    for entry in golden["basic_cased"]:
        assert basic_tokens(entry["text"], False) == entry["basic"]


def test_features(golden: dict[str, Any], vocabulary: dict[str, int]):
    for entry in golden["features"]:
        made = features_of(
            entry["context"],
            entry["question"],
            (entry["answer"], entry["answer_start"]),
            tokenize=functools.partial(tokenize, vocabulary=vocabulary, lowercase=True),
            vocabulary=vocabulary,
            max_seq_length=entry["max_seq_length"],
            doc_stride=entry["doc_stride"],
            max_query_length=entry["max_query_length"],
        )
        for feature, expected in zip(made, entry["features"], strict=True):
            assert feature.tokens == expected["tokens"]
            assert feature.input_ids == expected["input_ids"]
            assert feature.segment_ids == expected["segment_ids"]
            assert (feature.start_position, feature.end_position) == (
                expected["start_position"],
                expected["end_position"],
            )
