"""From start and end logits to answers: the n best texts of each question, as run_squad.py does."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii

import numpy as np

from bertsquad.answers.answer_text import AnswerTexts
from bertsquad.data.features import Features
from bertsquad.data.squad import Dataset
from bertsquad.data.tokenization import Vocabulary

N_BEST_SIZE = 20  # run_squad.py's defaults
MAX_ANSWER_LENGTH = 30  # WordPieces

_NO_NULL_SCORE = 1000000.0  # run_squad.py's score of "no answer" before it has seen a window
_PAIRS_AT_ONCE = 2**19  # of a start and an end, 400 a feature; bounds the memory


@dataclass(frozen=True, slots=True)
class NBest:
    """The n best answers of a question, best first, at least one.

    Four lists and not a list of objects: 200,000 objects keep the garbage collector busy for longer
    than all the rest takes.
    """

    texts: list[str]
    probabilities: list[float]  # among the n best
    start_logits: list[float]
    end_logits: list[float]


@dataclass(frozen=True, slots=True)
class Decoded:
    """Answers by question id, in dataset order."""

    predictions: dict[str, str]
    nbest: dict[str, NBest]
    null_odds: dict[str, float] | None  # SQuAD 2.0: score of no answer minus that of the best


def decode(
    features: Features,
    dataset: Dataset,
    vocabulary: Vocabulary,
    start_logits: np.ndarray,
    end_logits: np.ndarray,
    starts: np.ndarray,
    *,
    n_best_size: int = N_BEST_SIZE,
    max_answer_length: int = MAX_ANSWER_LENGTH,
    null_score_diff_threshold: float | None = None,
) -> Decoded:
    """The n best answers of every question (run_squad.py write_predictions).

    Args:
        start_logits, end_logits: [T] finite logits of all features, end to end in their order.
        starts: [N + 1], feature n has the logits starts[n]:starts[n + 1]; as many as it has tokens,
            or more where padding was computed too.
        null_score_diff_threshold: set for SQuAD 2.0, where "" is an answer; it is given when it
            beats the best other answer by more than this.

    run_squad.py sees the logits of padding, which may take some of the n_best_size places among the
    starts and ends before they are discarded. Without padding, tokens take those places: the n
    best of a question can then hold more or better candidates than run_squad.py would find.

    A question that was cut into no window, or has no valid span, is answered "empty", as there.
    """
    decoder = Decoder(
        features,
        dataset,
        vocabulary,
        n_best_size=n_best_size,
        max_answer_length=max_answer_length,
        null_score_diff_threshold=null_score_diff_threshold,
    )
    return decoder.decode(features, range(len(decoder.ids)), start_logits, end_logits, starts)


class Decoder:
    """`decode` for some of the questions at a time; `ids` are those of all."""

    def __init__(
        self,
        features: Features,
        dataset: Dataset,
        vocabulary: Vocabulary,
        *,
        n_best_size: int,
        max_answer_length: int,
        null_score_diff_threshold: float | None = None,
    ) -> None:
        self.texts = AnswerTexts(dataset, features, vocabulary)
        self.ids = [question.id for question in dataset.questions()]
        self.n_best_size = n_best_size
        self.max_answer_length = max_answer_length
        self.null_score_diff_threshold = null_score_diff_threshold

    def decode(
        self,
        features: Features,
        questions: Sequence[int],
        start_logits: np.ndarray,
        end_logits: np.ndarray,
        starts: np.ndarray,
    ) -> Decoded:
        """The answers of these questions, by number; `features` are all that they have, in their
        order, with their logits as in `decode`."""
        threshold = self.null_score_diff_threshold
        nulls = None
        if threshold is not None:
            nulls = _null_scores(features, start_logits, end_logits, starts)
        candidates = _find_candidates(
            features,
            start_logits,
            end_logits,
            starts,
            self.n_best_size,
            self.max_answer_length,
            nulls,
        )
        texts = _CandidateTexts(self.texts, candidates)
        start_logit, end_logit = candidates.start_logit.tolist(), candidates.end_logit.tolist()
        numbers = np.asarray(questions, np.int64)
        begins = np.searchsorted(candidates.question, numbers).tolist()
        ends = np.searchsorted(candidates.question, numbers, side="right").tolist()

        null_odds: dict[str, float] = {}
        decoded = Decoded({}, {}, None if nulls is None else null_odds)
        for number, begin_candidate, end_candidate in zip(questions, begins, ends, strict=True):
            id_ = self.ids[number]
            found: dict[str, int] = {}  # text -> candidate
            for candidate in range(begin_candidate, end_candidate):
                text = texts[candidate]
                if text not in found:
                    found[text] = candidate
                    if len(found) == self.n_best_size:
                        break
            answers = list(found)
            start = [start_logit[candidate] for candidate in found.values()]
            end = [end_logit[candidate] for candidate in found.values()]
            if nulls is not None:
                score, null_start, null_end = nulls.of_question(number)
                if "" not in found:
                    answers, start, end = [*answers, ""], [*start, null_start], [*end, null_end]
            # With "" alone run_squad.py fails; transformers' version adds this entry there too.
            if answers in ([], [""]):
                answers, start, end = ["empty", *answers], [0.0, *start], [0.0, *end]
            decoded.nbest[id_] = NBest(answers, _softmax(start, end), start, end)
            answer = answers[0]
            if nulls is not None:
                best = next(n for n, text in enumerate(answers) if text)
                odds = score - start[best] - end[best]
                null_odds[id_] = odds
                answer = "" if odds > threshold else answers[best]
            decoded.predictions[id_] = answer
        return decoded


def _softmax(start_logits: list[float], end_logits: list[float]) -> list[float]:
    """Probabilities of the summed logits by run_squad.py's float operations, in their order."""
    sums = [start + end for start, end in zip(start_logits, end_logits, strict=True)]
    largest = max(sums)
    exponentials = [math.exp(value - largest) for value in sums]
    total = 0.0
    for value in exponentials:  # from Python 3.12 on `sum` would be more exact than run_squad.py
        total += value
    return [value / total for value in exponentials]


@dataclass(frozen=True, slots=True)
class _Candidates:
    """C possible answers of all questions: by question, then best first."""

    question: np.ndarray  # [C]
    first_piece: np.ndarray  # [C], among the pieces of all passages; -1 for no answer
    last_piece: np.ndarray  # [C], included
    start_logit: np.ndarray  # [C], float64
    end_logit: np.ndarray  # [C], float64


def _find_candidates(
    features: Features,
    start_logits: np.ndarray,
    end_logits: np.ndarray,
    starts: np.ndarray,
    n_best_size: int,
    max_answer_length: int,
    nulls: "_NullScores | None" = None,
) -> _Candidates:
    """All pairs of a window's n best starts and n best ends that make a valid answer.

    Valid: both in the passage, the start seen best from this window, the end not before it, and
    not longer than max_answer_length pieces. Equal ones stay in the order in which run_squad.py
    meets them: by window, rank of the start, rank of the end.
    """
    blocks = [
        _valid_pairs(
            features, rows, start_logits, end_logits, starts, n_best_size, max_answer_length
        )
        for rows in _row_blocks(len(starts) - 1, n_best_size)
    ]
    if nulls is not None:
        piece = np.full(len(nulls.score), -1)
        question = np.arange(len(nulls.score))
        blocks.append((question, piece, piece, nulls.start_logit, nulls.end_logit))
    columns = [np.concatenate(column) for column in zip(*blocks, strict=True)]
    question, _, _, start_logit, end_logit = columns
    order = np.lexsort((-(start_logit + end_logit), question))  # stable
    return _Candidates(*(column[order] for column in columns))


def _row_blocks(features: int, n_best_size: int) -> Iterator[slice]:
    step = max(1, _PAIRS_AT_ONCE // n_best_size**2)
    for first in range(0, max(features, 1), step):
        yield slice(first, min(first + step, features))


def _valid_pairs(
    features: Features,
    rows: slice,
    start_logits: np.ndarray,
    end_logits: np.ndarray,
    starts: np.ndarray,
    n_best_size: int,
    max_answer_length: int,
) -> tuple[np.ndarray, ...]:
    """The columns of `_Candidates` for some features, in run_squad.py's order before it sorts."""
    question = features.feature_question[rows].astype(np.int64)
    doc_start = features.doc_start[rows].astype(np.int64)
    # From positions in [CLS] question [SEP] passage [SEP] to pieces of the passage.
    shift = (doc_start - features.question_lengths[question] - 2)[:, None]
    doc_end = doc_start + features.doc_length[rows]
    first_best = features.max_context_begin[rows].astype(np.int64)
    last_best = features.max_context_end[rows].astype(np.int64)

    window = starts[rows.start : rows.stop + 1]
    start, start_logit, found = _best_positions(start_logits, window, n_best_size)
    start += shift
    start_valid = found & (start >= first_best[:, None]) & (start < last_best[:, None])
    end, end_logit, found = _best_positions(end_logits, window, n_best_size)
    end += shift
    end_valid = found & (end >= doc_start[:, None]) & (end < doc_end[:, None])

    length = end[:, None, :] - start[:, :, None] + 1
    valid = (length > 0) & (length <= max_answer_length)
    valid &= start_valid[:, :, None] & end_valid[:, None, :]
    row, start_rank, end_rank = np.nonzero(valid)
    passage = features.context_starts[features.question_paragraph[question]].astype(np.int64)
    return (
        question[row],
        passage[row] + start[row, start_rank],
        passage[row] + end[row, end_rank],
        start_logit[row, start_rank],
        end_logit[row, end_rank],
    )


def _best_positions(
    logits: np.ndarray, starts: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The n largest logits of each of F features, largest first, the earlier of equals first.

    Returns positions int64[F, n], logits float64[F, n], and where there was one, bool[F, n].
    """
    lengths = np.diff(starts)
    width = int(lengths.max(initial=0))
    real = np.arange(width) < lengths[:, None]
    padded = np.full(real.shape, -np.inf, logits.dtype)
    padded[real] = logits[starts[0] : starts[-1]]
    chosen = real
    if n < width:
        # Sort only what is at least as large as the n-th largest: n values a feature, and its ties.
        threshold = np.partition(padded, width - n, axis=1)[:, width - n]
        chosen = real & (padded >= threshold[:, None])
    row, position = np.nonzero(chosen)
    order = np.lexsort((-padded[row, position], row))  # stable
    position = position[order]
    rank = np.arange(len(row)) - np.searchsorted(row, np.arange(len(lengths)))[row]
    row, position, rank = (values[rank < n] for values in (row, position, rank))

    positions = np.zeros((len(lengths), n), np.int64)
    values = np.zeros((len(lengths), n), np.float64)
    found = np.zeros((len(lengths), n), np.bool_)
    positions[row, rank] = position
    values[row, rank] = padded[row, position]
    found[row, rank] = True
    return positions, values, found


@dataclass(frozen=True, slots=True)
class _NullScores:
    """SQuAD 2.0: how much each question looks unanswerable, from its least sure window's [CLS]."""

    score: np.ndarray  # [Q], float64
    start_logit: np.ndarray  # [Q], float64
    end_logit: np.ndarray  # [Q], float64

    def of_question(self, number: int) -> tuple[float, float, float]:
        return (
            float(self.score[number]),
            float(self.start_logit[number]),
            float(self.end_logit[number]),
        )


def _null_scores(
    features: Features, start_logits: np.ndarray, end_logits: np.ndarray, starts: np.ndarray
) -> _NullScores:
    """The lowest score of "no answer" over each question's windows, the first of equals."""
    questions = len(features.question_paragraph)
    nulls = _NullScores(
        np.full(questions, _NO_NULL_SCORE), np.zeros(questions), np.zeros(questions)
    )
    start = start_logits[starts[:-1]].astype(np.float64)
    end = end_logits[starts[:-1]].astype(np.float64)
    for feature, question in enumerate(features.feature_question.tolist()):
        score = start[feature] + end[feature]
        if score < nulls.score[question]:
            nulls.score[question] = score
            nulls.start_logit[question] = start[feature]
            nulls.end_logit[question] = end[feature]
    return nulls


class _CandidateTexts:
    """The texts of all candidates: most are found at once, the others when they are asked for."""

    def __init__(self, texts: AnswerTexts, candidates: _Candidates) -> None:
        self.texts = texts
        self.first_piece, self.last_piece = candidates.first_piece, candidates.last_piece
        begin, end = np.zeros((2, len(self.first_piece)), np.int64)  # "" for no answer
        spans = np.flatnonzero(self.first_piece >= 0)
        begin[spans], end[spans] = self.texts.spans(self.first_piece[spans], self.last_piece[spans])
        self.begin, self.end = begin.tolist(), end.tolist()

    def __getitem__(self, candidate: int) -> str:
        begin = self.begin[candidate]
        if begin >= 0:
            return self.texts.text[begin : self.end[candidate]]
        return self.texts.recover(int(self.first_piece[candidate]), int(self.last_piece[candidate]))


def predictions_json(predictions: dict[str, str]) -> str:
    """predictions.json as run_squad.py writes it: dataset order, ASCII, four spaces."""
    return json.dumps(predictions, indent=4) + "\n"


def null_odds_json(null_odds: dict[str, float]) -> str:
    """null_odds.json as run_squad.py writes it: dataset order, four spaces."""
    return json.dumps(null_odds, indent=4) + "\n"


def nbest_json(nbest: dict[str, NBest]) -> str:
    """nbest_predictions.json as run_squad.py writes it.

    The same text as `json.dumps(..., indent=4)`, which takes several times as long: it is C only
    without an indent.
    """
    if not nbest:
        return "{}\n"
    texts, numbers = encode_basestring_ascii, float.__repr__
    return (
        "{\n    "
        + ",\n    ".join(
            f"{texts(question_id)}: [\n        "
            + ",\n        ".join(
                f'{{\n            "text": {texts(text)},'
                f'\n            "probability": {numbers(probability)},'
                f'\n            "start_logit": {numbers(start_logit)},'
                f'\n            "end_logit": {numbers(end_logit)}\n        }}'
                for text, probability, start_logit, end_logit in zip(
                    best.texts,
                    best.probabilities,
                    best.start_logits,
                    best.end_logits,
                    strict=True,
                )
            )
            + "\n    ]"
            for question_id, best in nbest.items()
        )
        + "\n}\n"
    )
