"""Answers are given as they stand in the passage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertsquad.answers.answer_text import AnswerTexts, get_final_text
from bertsquad.data import squad
from bertsquad.data.featurization import featurize
from bertsquad.data.tokenization import Vocabulary


def test_golden_get_final_text(golden):
    for case in golden["get_final_text"]:
        found = get_final_text(case["pred_text"], case["orig_text"], case["do_lower_case"])
        assert found == case["out"], case


@pytest.mark.parametrize(
    ("pred_text", "orig_text", "lowercase", "expected"),
    [
        ("Steve Smith", "(Steve Smith)", False, "Steve Smith"),
        ("steve smith", "Steve Smith", False, "Steve Smith"),  # not found: all of it
        ("[UNK]", "☃,", True, "☃,"),  # not found: all of it
        ("a", "Á-a", True, "Á"),  # the first occurrence, whichever was meant
        ("b", "a\u00a0b,", True, "a\u00a0b,"),  # U+00A0 separates tokens and is not a space
        (" b", "a b", True, "a b"),  # a space has no counterpart
    ],
)
def test_text_of_a_prediction(pred_text, orig_text, lowercase, expected):
    assert get_final_text(pred_text, orig_text, lowercase) == expected


@given(st.text(alphabet="ab (),.-é", max_size=20), st.data())
def test_text_is_found_wherever_it_is_cut_out(text, data):
    # Where characters correspond one to one, and nothing like it precedes.
    text = " ".join(text.split())
    first = data.draw(st.integers(0, len(text)))
    part = text[first : data.draw(st.integers(first, len(text)))].strip()
    if part.isalpha() and text.find(part) == text.index(part):
        assert get_final_text(part, text, lowercase=False) == part


def texts_of(uncased_vocab, *contexts):
    dataset = squad.Dataset(
        "1.1",
        tuple(
            squad.Paragraph("", context, (squad.Question(str(n), "?", ()),))
            for n, context in enumerate(contexts)
        ),
    )
    vocabulary = Vocabulary(uncased_vocab)
    features = featurize(
        dataset,
        vocabulary,
        max_seq_length=64,
        doc_stride=16,
        max_query_length=8,
        training=False,
    )
    return AnswerTexts(dataset, features, vocabulary), features, vocabulary


def all_spans(features):
    """First and last piece of every span inside one passage."""
    pairs = [
        (first, last)
        for begin, end in zip(features.context_starts, features.context_starts[1:], strict=False)
        for first in range(begin, end)
        for last in range(first, end)
    ]
    return np.array(pairs).T


def test_every_span_of_a_plain_passage_is_found_without_get_final_text(uncased_vocab):
    texts, features, vocabulary = texts_of(
        uncased_vocab, "It was Beyoncé's", "(1895-1943),  embeddings\tin (NFL)"
    )
    first, last = all_spans(features)
    begin, end = texts.spans(first, last)
    assert (begin >= 0).all()
    pieces = [vocabulary.tokens[id_] for id_ in features.context_ids.tolist()]
    found = {
        " ".join(pieces[a : b + 1]): texts.text[c:d]
        for a, b, c, d in zip(first, last, begin, end, strict=True)
    }
    assert found["beyonce"] == "Beyoncé"
    assert found["it was beyonce '"] == "It was Beyoncé'"
    assert found["1895 - 1943"] == "1895-1943"
    assert found["##bed ##ding"] == "bedding"
    assert found["1943 ) , em"] == "1943), em"  # white space in the passage becomes one space
    assert found["in ( nfl"] == "in (NFL"
    assert texts.recovered == {}


@pytest.mark.parametrize(
    "context",
    [
        "a ☃!☃ b☃ and",  # unknown pieces
        "x a\u00adb \u200b c\u200bd y",  # control characters are removed; one is a whole word
        "ﬁne Straße İzmir 가나",  # lengths change, the last by decomposition
        "가\u200b\u200b é(é) a-a Á-a",  # longer and shorter at once: equal again by chance
        "banana bananarama (a(a)a)",  # pieces that also occur earlier in their word
        "東京 tower\u202fhall a\u00a0b\u2003c",
    ],
)
def test_every_span_is_what_get_final_text_says(uncased_vocab, context):
    texts, features, _ = texts_of(uncased_vocab, "before, " + context, context + " after.")
    first, last = all_spans(features)
    for a, b, begin, end in zip(first, last, *texts.spans(first, last), strict=True):
        if begin >= 0:
            assert texts.text[begin:end] == texts.recover(a, b)
