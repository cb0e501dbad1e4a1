"""From a dataset to features: tokens, windows and, for training, where the answers are."""

from functools import lru_cache
from typing import Any

import numpy as np

from bertsquad.console.errors import UserError
from bertsquad.data.batching import starts_of
from bertsquad.data.features import SPECIAL_TOKENS, VERSION, Features, ranges
from bertsquad.data.squad import Dataset
from bertsquad.data.targets import answer_tokens, answer_words, improve_answer_span
from bertsquad.data.tokenization import Vocabulary, word_of_characters
from bertsquad.data.windows import doc_spans, max_context
from bertsquad.data.words import Tokens, tokenize

IMPOSSIBLE = "impossible"  # the metadata's number of training questions without an answer, if any
NAMED_IDS = 5  # of the questions of each kind that the metadata counts, this many are named


def featurize(
    dataset: Dataset,
    vocabulary: Vocabulary,
    *,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
    training: bool,
) -> Features:
    """The features of all questions, as run_squad.py convert_examples_to_features makes them.

    As `featurize_part`, but raises `UserError` also when no question at all is left.
    """
    made = featurize_part(
        dataset,
        vocabulary,
        max_seq_length=max_seq_length,
        doc_stride=doc_stride,
        max_query_length=max_query_length,
        training=training,
    )
    if len(made) == 0:
        skipped = made.metadata["skipped"].items()
        reasons = "; ".join(f"{questions['count']}: {reason}" for reason, questions in skipped)
        raise UserError(
            f"{dataset.source}: not one of {made.metadata['questions']} questions can be used "
            f"({reasons})"
        )
    return made


def featurize_part(
    dataset: Dataset,
    vocabulary: Vocabulary,
    *,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
    training: bool,
) -> Features:
    """The features of a part of a dataset, perhaps none.

    `metadata["skipped"]` counts, by reason, the questions that have no feature, and
    `metadata["truncated"]` those cut to `max_query_length` word pieces; each names the first ids.

    Raises `UserError` for lengths out of range and for a question that leaves no room for context
    in `max_seq_length`.
    """
    _check_lengths(max_seq_length, doc_stride, max_query_length)
    tokens = tokenize(dataset, vocabulary, training)
    question_lengths = np.minimum(np.diff(tokens.question_starts), max_query_length)
    room = max_seq_length - SPECIAL_TOKENS - question_lengths
    _check_room(dataset, room, max_seq_length)

    skipped: dict[str, list[str]] = {}
    targets = None
    kept = np.ones(len(room), np.bool_)
    impossible = np.zeros(len(room), np.bool_)
    if training:
        impossible[:] = [question.is_impossible for question in dataset.questions()]
        targets = _find_answers(dataset, tokens, skipped)
        kept = impossible | (targets[:, 0] >= 0)
    doc_tokens = np.diff(tokens.context_starts)[tokens.question_paragraph]
    empty = kept & (doc_tokens == 0)
    if empty.any():
        skipped["its context has no token"] = _ids_where(dataset, empty)
    arrays = _cut_windows(np.flatnonzero(kept & ~empty), doc_tokens, room, doc_stride)
    if targets is not None:
        arrays |= _place_answers(arrays, targets, question_lengths)

    truncated = _ids_where(dataset, np.diff(tokens.question_starts) > max_query_length)
    return Features(
        arrays | _stored_once(tokens, question_lengths, len(vocabulary)),
        {
            "version": VERSION,
            "max_seq_length": max_seq_length,
            "doc_stride": doc_stride,
            "max_query_length": max_query_length,
            "lowercase": vocabulary.lowercase,
            "strip_accents": vocabulary.strip_accents,
            "cls": vocabulary.cls,
            "sep": vocabulary.sep,
            "questions": len(room),
            "skipped": {reason: _counted(ids) for reason, ids in skipped.items()},
            "truncated": _counted(truncated),
            **({IMPOSSIBLE: int(impossible.sum())} if impossible.any() else {}),
        },
    )


def _stored_once(
    tokens: Tokens, question_lengths: np.ndarray, vocabulary_size: int
) -> dict[str, np.ndarray]:
    """Contexts and questions, each once, in the narrowest types that hold them."""
    id_type = np.uint16 if vocabulary_size <= 2**16 else np.int32
    word_type = np.uint16 if tokens.context_words.max(initial=0) < 2**16 else np.int32
    question_ids = tokens.question_ids[ranges(tokens.question_starts[:-1], question_lengths)]
    return {
        "context_ids": tokens.context_ids.astype(id_type),
        "context_words": tokens.context_words.astype(word_type),
        "context_starts": tokens.context_starts,
        "question_ids": question_ids.astype(id_type),
        "question_starts": starts_of(question_lengths),
        "question_paragraph": tokens.question_paragraph,
    }


def _check_lengths(max_seq_length: int, doc_stride: int, max_query_length: int) -> None:
    for name, value, least in (
        ("max_seq_length", max_seq_length, SPECIAL_TOKENS + 1),
        ("doc_stride", doc_stride, 1),
        ("max_query_length", max_query_length, 0),
    ):
        if value < least:
            raise UserError(f"{name} is {value}; expected at least {least}")


def _check_room(dataset: Dataset, room: np.ndarray, max_seq_length: int) -> None:
    """No question may be so long that a window has no room for context."""
    long = np.flatnonzero(room < 1)
    if len(long) == 0:
        return
    first = next(q for number, q in enumerate(dataset.questions()) if number == long[0])
    taken = max_seq_length - SPECIAL_TOKENS - int(room[long[0]])
    raise UserError(
        f"{dataset.source}: question {first.id!r} has {taken} word pieces, which leave no room for "
        f"context in max_seq_length {max_seq_length} ({len(long)} such questions); raise "
        f"max_seq_length to at least {taken + SPECIAL_TOKENS + 1} or lower max_query_length"
    )


def _find_answers(dataset: Dataset, tokens: Tokens, skipped: dict[str, list[str]]) -> np.ndarray:
    """First and last context token of every question's answer: int64[Q, 2], -1 where there is none
    or the question is skipped; `skipped` then holds its id under the reason."""
    targets = [(-1, -1)] * len(tokens.question_paragraph)
    no_answer, not_there = [], []
    answer_ids, answer_starts = tokens.answer_ids.tolist(), tokens.answer_starts.tolist()
    question, first_word = -1, 0
    for p, paragraph in enumerate(dataset.paragraphs):
        word_of_character = word_of_characters(paragraph.context)
        words = int(word_of_character.max(initial=-1)) + 1
        word_starts = tokens.word_starts[first_word : first_word + words].tolist()
        first_word += words
        begin, end = tokens.context_starts[p : p + 2]
        context_ids = tokens.context_ids[begin:end].tolist()
        for entry in paragraph.questions:
            question += 1
            if entry.is_impossible:
                continue
            if not entry.answers or not entry.answers[0].text.strip():
                no_answer.append(entry.id)
                continue
            span = answer_words(paragraph.context, word_of_character, entry.answers[0])
            if span is None:
                not_there.append(entry.id)
                continue
            targets[question] = improve_answer_span(
                context_ids,
                *answer_tokens(word_starts, context_ids, span),
                answer_ids[answer_starts[question] : answer_starts[question + 1]],
            )
    if no_answer:
        skipped["no answer"] = no_answer
    if not_there:
        skipped["the answer is not in the context at its answer_start"] = not_there
    return np.array(targets, np.int64).reshape(-1, 2)


def _cut_windows(
    questions: np.ndarray, doc_tokens: np.ndarray, room: np.ndarray, doc_stride: int
) -> dict[str, np.ndarray]:
    """The windows of these questions, each array int32[N]."""

    # Questions on one long context mostly leave the same room.
    @lru_cache(maxsize=1024)
    def windows(tokens: int, room: int) -> np.ndarray:  # [windows, 4]
        spans = doc_spans(tokens, room, doc_stride)
        return np.concatenate([np.array(spans), np.array(max_context(spans))], axis=1)

    counts = np.ones(len(questions), np.int64)
    long = np.flatnonzero(doc_tokens[questions] > room[questions])
    tables = [windows(int(doc_tokens[q]), int(room[q])) for q in questions[long]]
    counts[long] = [len(table) for table in tables]
    feature_question = np.repeat(questions, counts)
    # A context that fits is one window that is best for all its tokens.
    zeros, lengths = np.zeros(len(feature_question), np.int64), doc_tokens[feature_question]
    table = np.stack([zeros, lengths, zeros, lengths], axis=1)
    if tables:
        table[ranges(starts_of(counts)[long], counts[long])] = np.concatenate(tables)
    names = ("doc_start", "doc_length", "max_context_begin", "max_context_end")
    columns = np.ascontiguousarray(table.T, np.int32)
    return {"feature_question": feature_question.astype(np.int32)} | dict(
        zip(names, columns, strict=True)
    )


def _place_answers(
    windows: dict[str, np.ndarray], targets: np.ndarray, question_lengths: np.ndarray
) -> dict[str, np.ndarray]:
    """start_position and end_position int32[N]: (0, 0), which is [CLS], unless the whole answer is
    in the window. Windows without the answer are kept as negative examples, and so are all windows
    of a question that has none (run_squad.py version_2_with_negative)."""
    question = windows["feature_question"]
    doc_start = windows["doc_start"]
    doc_end = doc_start + windows["doc_length"] - 1
    start, end = targets[question].T
    inside = (start >= doc_start) & (end <= doc_end)
    before = 2 + question_lengths[question] - doc_start  # [CLS] question [SEP]
    return {
        "start_position": np.where(inside, start + before, 0).astype(np.int32),
        "end_position": np.where(inside, end + before, 0).astype(np.int32),
    }


def _ids_where(dataset: Dataset, mask: np.ndarray) -> list[str]:
    if not mask.any():
        return []
    return [q.id for q, wanted in zip(dataset.questions(), mask, strict=True) if wanted]


def _counted(ids: list[str]) -> dict[str, Any]:
    return {"count": len(ids), "first": ids[:NAMED_IDS]}
