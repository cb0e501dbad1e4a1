"""Logits become the answers that run_squad.py would give."""

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import reference_decoding
from bertsquad.answers import decoding
from bertsquad.console.errors import UserError
from bertsquad.data import squad
from bertsquad.data.featurization import featurize
from bertsquad.data.tokenization import Vocabulary

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
LETTERS = ["a", "b", "c", "##a", "##b", "##c", "ab", "##bc", "abc", "i", "##i"]
OTHERS = ["(", ")", "-", "#", "中", "ﬁ", "é", "\u1100", "##\u1161", "Ab", "A", "##A"]


@pytest.fixture(scope="session")
def small_vocabularies(tmp_path_factory):
    """An uncased and a cased vocabulary of a few letters."""
    folder = tmp_path_factory.mktemp("vocab")
    vocabularies = []
    for name, tokens in (
        ("uncased", [token for token in OTHERS if token == token.lower()]),
        ("cased", OTHERS),
    ):
        path = folder / f"{name}.txt"
        path.write_text("\n".join(SPECIAL + LETTERS + tokens) + "\n", encoding="utf-8")
        vocabularies.append(Vocabulary(path))
    return vocabularies


def dataset_of(*passages):
    """Each passage is its context and the texts of its questions, which are called q0, q1, ..."""
    ids = iter(range(1000))
    return squad.Dataset(
        "1.1",
        tuple(
            squad.Paragraph(
                "",
                context,
                tuple(
                    squad.Question(f"q{next(ids)}", text, (squad.Answer("x", 0),)) for text in asked
                ),
            )
            for context, asked in passages
        ),
    )


def features_of(dataset, vocabulary, max_seq_length=32, doc_stride=8, max_query_length=8):
    return featurize(
        dataset,
        vocabulary,
        max_seq_length=max_seq_length,
        doc_stride=doc_stride,
        max_query_length=max_query_length,
        training=False,
    )


def decode_one(vocabulary, context, start, end, question="a", **options):
    """The n best of one question; logits of [CLS] and so on by position, all others -9."""
    dataset = dataset_of((context, [question]))
    features = features_of(dataset, vocabulary, **options.pop("windows", {}))
    starts = np.concatenate([[0], np.cumsum(features.lengths)])
    logits = np.full((2, starts[-1]), -9.0, np.float32)
    for values, given_values in zip(logits, (start, end), strict=True):
        for position, value in given_values.items():
            values[position] = value
    return decoding.decode(features, dataset, vocabulary, *logits, starts, **options)


def as_dicts(nbest):
    return {
        question_id: [
            {"text": text, "probability": probability, "start_logit": start, "end_logit": end}
            for text, probability, start, end in zip(
                best.texts, best.probabilities, best.start_logits, best.end_logits, strict=True
            )
        ]
        for question_id, best in nbest.items()
    }


@pytest.mark.parametrize("case", [0, 1])
def test_golden_nbest(golden, uncased_vocab, case):
    # Google's code saw max_seq_length logits for each feature, some of them of padding.
    case = golden["nbest"][case]
    question = squad.Question("q1", case["question"], ())
    dataset = squad.Dataset("1.1", (squad.Paragraph("", case["context"], (question,)),))
    vocabulary = Vocabulary(uncased_vocab)
    features = features_of(dataset, vocabulary, case["max_seq_length"], case["doc_stride"])
    assert len(features) == len(case["results"])
    decoded = decoding.decode(
        features,
        dataset,
        vocabulary,
        np.concatenate([result["start"] for result in case["results"]]),
        np.concatenate([result["end"] for result in case["results"]]),
        np.arange(len(features) + 1) * case["max_seq_length"],
        n_best_size=case["n_best_size"],
        max_answer_length=case["max_answer_length"],
        null_score_diff_threshold=case["null_threshold"] if case["v2"] else None,
    )
    assert decoded.predictions == case["predictions"]
    assert as_dicts(decoded.nbest) == case["nbest"]
    assert decoded.null_odds == case["null_odds"]


# In the tests below the tokens are [CLS] a [SEP] and then, from position 3, the context.


def test_best_answer_first_with_its_logits_and_probability(small_vocabularies):
    decoded = decode_one(small_vocabularies[0], "a b c", {3: 1.5, 4: 0.5}, {4: 2.0})
    best = decoded.nbest["q0"]
    assert decoded.predictions == {"q0": "a b"}
    assert best.texts[:2] == ["a b", "b"]
    assert (best.start_logits[:2], best.end_logits[:2]) == ([1.5, 0.5], [2.0, 2.0])
    assert best.probabilities[0] / best.probabilities[1] == pytest.approx(np.e)
    assert sum(best.probabilities) == pytest.approx(1)


def test_among_equal_logits_the_earlier_position_is_chosen(small_vocabularies):
    decoded = decode_one(small_vocabularies[0], "a b c", {3: 1, 4: 1, 5: 1}, {5: 1}, n_best_size=2)
    assert decoded.nbest["q0"].texts == ["a b c", "b c"]


def test_among_equal_sums_the_better_start_comes_first(small_vocabularies):
    decoded = decode_one(small_vocabularies[0], "a b c", {3: 1, 4: 2}, {4: 2, 5: 1}, n_best_size=3)
    assert decoded.nbest["q0"].texts == ["b", "b c", "a b"]
    decoded = decode_one(small_vocabularies[0], "a b c", {4: 1, 3: 2}, {5: 2, 4: 1}, n_best_size=3)
    assert decoded.nbest["q0"].texts == ["a b c", "a b", "b c"]


def test_question_and_special_tokens_are_no_answers(small_vocabularies):
    everywhere = dict.fromkeys((0, 1, 2, 6), 9)
    decoded = decode_one(small_vocabularies[0], "a b c", {4: 0} | everywhere, {5: 0} | everywhere)
    assert decoded.predictions == {"q0": "b c"}


def test_answer_has_at_most_max_answer_length_pieces(small_vocabularies):
    # "ba" is two pieces.
    decoded = decode_one(small_vocabularies[0], "c ba", {3: 5}, {3: 0, 5: 9}, max_answer_length=2)
    assert "c ba" not in decoded.nbest["q0"].texts
    decoded = decode_one(small_vocabularies[0], "c ba", {3: 5}, {3: 0, 5: 9}, max_answer_length=3)
    assert decoded.predictions == {"q0": "c ba"}


def test_the_same_text_counts_once(small_vocabularies):
    decoded = decode_one(small_vocabularies[0], "c c c", {3: 3, 4: 2, 5: 1}, {3: 3, 4: 2, 5: 1})
    assert decoded.nbest["q0"].texts == ["c", "c c", "c c c"]
    assert decoded.nbest["q0"].start_logits == [3.0, 3.0, 3.0]


def test_start_must_be_seen_best_from_its_window_but_not_the_end(small_vocabularies):
    # Windows of 4 tokens at a step of 2: "a b c ab" and "c ab abc i".
    dataset = dataset_of(("a b c ab abc i", ["a"]))
    windows = {"max_seq_length": 8, "doc_stride": 2}
    features = features_of(dataset, small_vocabularies[0], **windows)
    assert features.max_context_begin.tolist() == [0, 3]
    assert features.max_context_end.tolist() == [3, 6]
    context = "a b c ab abc i"
    first_window = {5: 5}, {6: 5}  # "c ab": c belongs to it, ab to the second
    decoded = decode_one(small_vocabularies[0], context, *first_window, windows=windows)
    assert decoded.predictions == {"q0": "c ab"}
    second_window = {8 + 3: 5}, {8 + 4: 5}  # the same two tokens
    decoded = decode_one(small_vocabularies[0], context, *second_window, windows=windows)
    assert decoded.nbest["q0"].start_logits[0] == -9
    # "ab" is the first piece that the second window sees better than the first.
    decoded = decode_one(small_vocabularies[0], context, {6: 5}, {6: 5}, windows=windows)
    assert decoded.nbest["q0"].start_logits[0] == -9


def test_twenty_answers_of_thirty_pieces_unless_asked_otherwise(small_vocabularies):
    rising = {3 + n: n / 10 for n in range(10)}
    decoded = decode_one(small_vocabularies[0], "a b c ab abc i a b c ab", rising, rising)
    assert len(decoded.nbest["q0"].texts) == 20

    words = " ".join(["a", "b", "c"] * 11)
    longest, longer = 3 + 29, 3 + 30  # where answers of 30 and 31 pieces end
    windows = {"max_seq_length": 64, "doc_stride": 40}
    decoded = decode_one(
        small_vocabularies[0], words, {3: 9}, {longest: 8, longer: 9}, windows=windows
    )
    assert decoded.predictions == {"q0": words[: 2 * 30 - 1]}


def test_question_without_a_valid_answer_is_answered_empty(small_vocabularies):
    ends_first = {5: 5}, {3: 5}
    decoded = decode_one(small_vocabularies[0], "a b c", *ends_first, n_best_size=1)
    assert decoded.predictions == {"q0": "empty"}
    assert as_dicts(decoded.nbest) == {
        "q0": [{"text": "empty", "probability": 1.0, "start_logit": 0.0, "end_logit": 0.0}]
    }


def test_question_without_a_feature_is_answered_empty(small_vocabularies):
    vocabulary = small_vocabularies[0]
    dataset = dataset_of(("\u200b", ["a"]), ("b", ["a"]))
    features = features_of(dataset, vocabulary)
    starts = np.concatenate([[0], np.cumsum(features.lengths)])
    logits = np.zeros(starts[-1], np.float32)
    decoded = decoding.decode(features, dataset, vocabulary, logits, logits, starts)
    assert decoded.predictions == {"q0": "empty", "q1": "b"}


def test_no_answer_wins_by_more_than_the_threshold(small_vocabularies):
    start, end = {0: 3, 3: 1}, {0: 3, 3: 1}
    for threshold, expected in ((3.9, ""), (4.0, "a")):
        decoded = decode_one(
            small_vocabularies[0], "a", start, end, null_score_diff_threshold=threshold
        )
        assert decoded.predictions == {"q0": expected}
        assert decoded.null_odds == {"q0": 4.0}
        assert decoded.nbest["q0"].texts == ["", "a"]


def test_no_answer_is_kept_beside_the_n_best(small_vocabularies):
    decoded = decode_one(
        small_vocabularies[0],
        "a b",
        {3: 5, 4: 4},
        {4: 5},
        n_best_size=2,
        null_score_diff_threshold=0,
    )
    assert decoded.nbest["q0"].texts == ["a b", "b", ""]


def test_no_answer_alone_does_not_crash(small_vocabularies):
    # run_squad.py fails with AttributeError here (google-research/bert, issue 211).
    ends_first = {0: 1, 5: 5}, {0: 1, 3: 5}
    decoded = decode_one(
        small_vocabularies[0], "a b c", *ends_first, n_best_size=1, null_score_diff_threshold=0
    )
    assert decoded.predictions == {"q0": ""}
    assert decoded.nbest["q0"].texts == ["empty", ""]
    assert decoded.null_odds == {"q0": 2.0}


WORDS = st.lists(
    st.sampled_from(["a", "b", "c", "A", "Á", "é", "i", "İ", "ab", "abc", "x", "(", ")", "-", "#"])
    | st.sampled_from(["中", "ﬁ", "가", "\u00ad", "\u200b", "\u00a0", "\u2028", "\u0301", "\0"]),
    min_size=1,
    max_size=5,
).map("".join)
CONTEXTS = st.lists(WORDS, min_size=1, max_size=12).map(" ".join).filter(str.strip)
QUESTIONS = st.lists(st.sampled_from(["a", "", "b c a", "x"]), max_size=2)


@settings(max_examples=120, deadline=None)
@given(
    passages=st.lists(st.tuples(CONTEXTS, QUESTIONS), min_size=1, max_size=3),
    cased=st.booleans(),
    max_seq_length=st.integers(8, 20),
    doc_stride=st.integers(1, 6),
    n_best_size=st.integers(1, 6),
    max_answer_length=st.integers(1, 8),
    threshold=st.none() | st.floats(-3, 3),
    padding=st.integers(0, 3),
    levels=st.sampled_from([1, 3, 1000]),
    seed=st.integers(0, 9),
)
def test_equal_to_one_candidate_after_another(
    small_vocabularies,
    passages,
    cased,
    max_seq_length,
    doc_stride,
    n_best_size,
    max_answer_length,
    threshold,
    padding,
    levels,
    seed,
):
    vocabulary = small_vocabularies[cased]
    dataset = dataset_of(*passages)
    assume(list(dataset.questions()))
    try:
        features = features_of(dataset, vocabulary, max_seq_length, doc_stride, 3)
    except UserError:
        assume(False)
    starts = np.concatenate([[0], np.cumsum(features.lengths + padding)])
    # Few levels: many ties.
    logits = np.random.default_rng(seed).integers(levels, size=(2, starts[-1])) / np.float32(7)
    options = {
        "n_best_size": n_best_size,
        "max_answer_length": max_answer_length,
        "null_score_diff_threshold": threshold,
    }
    decoded = decoding.decode(features, dataset, vocabulary, *logits, starts, **options)
    predictions, nbest, null_odds = reference_decoding.decode(
        features, dataset, vocabulary, *logits, starts, **options
    )
    assert as_dicts(decoded.nbest) == nbest
    assert list(decoded.predictions.items()) == list(predictions.items())
    assert decoded.null_odds == null_odds
    assert decoding.nbest_json(decoded.nbest) == json.dumps(nbest, indent=4) + "\n"


def test_json_is_what_python_writes_with_an_indent_of_four():
    nbest = {'é "q"': decoding.NBest(["\u2028\n", "b"], [0.1, 1e-9], [-0.0, 3.0], [1e22, 0.5])}
    assert decoding.nbest_json(nbest) == json.dumps(as_dicts(nbest), indent=4) + "\n"
    assert decoding.nbest_json({}) == json.dumps({}, indent=4) + "\n"
    assert (
        decoding.predictions_json({"b": "é", "a": ""}) == '{\n    "b": "\\u00e9",\n    "a": ""\n}\n'
    )


@pytest.fixture(scope="module")
def dev(squad_dir, uncased_vocab):
    """SQuAD dev, the vocabulary, the features, and where they start."""
    dataset = squad.load(squad_dir / "dev-v1.1.json")
    vocabulary = Vocabulary(uncased_vocab)
    features = features_of(dataset, vocabulary, 384, 128, 64)
    return dataset, vocabulary, features, np.concatenate([[0], np.cumsum(features.lengths)])


def peaked_logits(features, starts):
    """Like a trained model's: high around one place of the passage, low elsewhere."""
    generator = np.random.default_rng(0)
    logits = generator.normal(-6, 1, (2, starts[-1])).astype(np.float32)
    passage = starts[:-1] + features.question_lengths[features.feature_question] + 2
    first = passage + generator.integers(features.doc_length)
    last = first + generator.integers(4, size=len(first))
    for values, centre in zip(logits, (first, last), strict=True):
        for distance in range(-3, 4):
            place = np.clip(centre + distance, passage, passage + features.doc_length - 1)
            values[place] += 8 - 2 * abs(distance)
    return logits


@pytest.mark.real_data
def test_squad_is_decoded_in_the_order_of_its_questions(dev):
    dataset, vocabulary, features, starts = dev
    logits = peaked_logits(features, starts)
    decoded = decoding.decode(features, dataset, vocabulary, *logits, starts)
    assert list(decoded.predictions) == [question.id for question in dataset.questions()]


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("kind", ["random", "ties", "peaked"])
def test_squad_is_decoded_like_one_candidate_after_another(dev, kind):
    whole, vocabulary, _, _ = dev
    dataset = squad.Dataset(whole.version, whole.paragraphs[::12])
    features = features_of(dataset, vocabulary, 128, 50, 64)
    starts = np.concatenate([[0], np.cumsum(features.lengths)])
    generator = np.random.default_rng(1)
    logits = {
        "random": generator.normal(0, 3, (2, starts[-1])).astype(np.float32),
        "ties": generator.integers(-2, 3, (2, starts[-1])).astype(np.float32),
        "peaked": peaked_logits(features, starts),
    }[kind]
    decoded = decoding.decode(features, dataset, vocabulary, *logits, starts)
    predictions, nbest, _ = reference_decoding.decode(
        features, dataset, vocabulary, *logits, starts
    )
    assert decoded.predictions == predictions
    assert as_dicts(decoded.nbest) == nbest
