"""Five calls for Python programs: load, answer, featurize, decode, score (docs/api.md).

    from bertsquad import api

    with api.load("models/mine") as model:
        print(api.answer(model, "Who founded it?", passage)[0].text)

What a caller can mend is raised as `UserError`, a line for people.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bertsquad import engines
from bertsquad.console.errors import UserError as UserError

if TYPE_CHECKING:
    import numpy as np

    from bertsquad.answers.decoding import Decoded, NBest
    from bertsquad.data.features import Features
    from bertsquad.data.squad import Dataset
    from bertsquad.data.tokenization import Vocabulary
    from bertsquad.engines import Engine


_HALF_A_PAIR = re.compile("[\ud800-\udfff]")  # a surrogate alone


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model; `with` or `close` ends its engine."""

    folder: Path
    engine: Engine
    vocabulary: Vocabulary
    positions: int  # the longest window, in word pieces

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what the engine has started."""
        self.engine.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """A possible answer: passage[begin:end] of the passage with single spaces between words."""

    text: str
    probability: float  # among the n best of the question
    begin: int | None  # in characters of `passage`; None where the text is not in it as it is
    end: int | None
    passage: str  # as it was read: white space between words is one space


@dataclass(frozen=True, slots=True)
class Featurized:
    """Questions on passages as windows of word pieces."""

    dataset: Dataset
    features: Features


def installed_engines() -> list[str]:
    """The engines whose packages are installed, the reference first."""
    return [
        name
        for name in engines.PRECISIONS
        if all(importlib.util.find_spec(package) for package in engines.about(name).PACKAGES)
    ]


def choose_engine(engine: str | None, precision: str) -> str:
    """The engine itself, or for None the first installed one that has the precision. `UserError`
    where that cannot be, with what can."""
    each = {name: ", ".join(has) for name, has in engines.PRECISIONS.items()}
    able = [name for name, has in engines.PRECISIONS.items() if precision in has]
    here = installed_engines()
    if engine is not None:
        engines.about(engine)  # there is one of that name
    if not able:
        has = "; ".join(f"{name} has {precisions}" for name, precisions in each.items())
        raise UserError(f"no engine has the precision {precision!r}: {has}")
    both = [name for name in able if name in here]
    if both and engine in (None, *both):
        return engine or both[0]
    if engine in able:
        raise UserError(
            f"the packages of the engine {engine} are not installed: pip install '.[{engine}]'; "
            f"installed are those of {', '.join(here) or 'no engine'}"
        )
    if both:
        can = f"of the installed engines {' and '.join(both)} can"
    else:
        can = f"no installed engine has it; install one, as in pip install '.[{able[0]}]'"
    if engine is None:
        raise UserError(f"precision {precision!r}: {can}")
    raise UserError(f"the engine {engine} has no {precision}, only {each[engine]}; {can}")


def load(
    model: str | os.PathLike[str],
    *,
    engine: str | None = None,
    precision: str = "fp32",
    threads: int | None = None,
    quantized: str | os.PathLike[str] | None = None,
) -> Model:
    """A model's folder, as `transformers` or this project writes it, in an engine.

    `engine` is "torch", "openvino" or "onnxruntime", by default the first that is installed;
    `quantized` is, for int8, what `bertsquad quantize` made. Threads are by default one for each
    core of a socket. Raises `UserError` for a folder that lacks a part or has no answer head.
    """
    from bertsquad.checkpoint.ready import ready
    from bertsquad.data.tokenization import Vocabulary
    from bertsquad.machine.cores import read_cores
    from bertsquad.machine.threads import choose_threads
    from bertsquad.model.config import read_config

    engine = choose_engine(engine, precision)
    folder = ready(model)
    return Model(
        folder,
        engines.load(
            engine,
            folder,
            precision=precision,
            threads=threads or choose_threads(read_cores()).count,
            quantized_dir=None if quantized is None else Path(quantized),
        ),
        Vocabulary(folder / "vocab.txt"),
        read_config(folder / "config.json")["max_position_embeddings"],
    )


def answer(
    model: Model,
    question: str,
    passage: str,
    *,
    n_best: int = 3,
    null_score_diff_threshold: float | None = None,
) -> list[Answer]:
    """The best answers to one question on one passage, best first.

    With a threshold the passage may hold no answer, as in SQuAD 2.0, of which the text is "": it
    comes first where its score is above the best answer's by more than the threshold, as `decode`
    predicts, and else after it. That is for models that were trained on such questions.
    Raises `UserError` for an empty question or passage.
    """
    from bertsquad.answers import decoding

    for name, text in (("question", question), ("passage", passage)):
        if not text.strip():
            raise UserError(f"the {name} is empty; expected a text")
        if half := _HALF_A_PAIR.search(text):
            raise UserError(
                f"the {name} has a byte or half a character at {half.start()} that is no UTF-8 "
                "text; expected whole characters"
            )
    if n_best < 1:
        raise UserError(f"n_best is {n_best}; expected a whole number from 1")
    entry = {"context": passage, "qas": [{"id": "0", "question": question}]}
    asked = featurize(model, {"data": [{"paragraphs": [entry]}]})
    start, end, starts = _logits(model, asked)
    found = decoding.decode(
        asked.features,
        asked.dataset,
        model.vocabulary,
        start,
        end,
        starts,
        null_score_diff_threshold=null_score_diff_threshold,
    )
    answers = _placed(found.nbest["0"], asked, start, starts)
    if null_score_diff_threshold is not None:
        answers = _best_first(answers, found.predictions["0"])
    return answers[:n_best]


def longest_question(model: Model, max_seq_length: int | None = None) -> int:
    """How many word pieces of a question are read: 64 as in run_squad.py, less in windows that
    would have no room for the passage; the rest is cut off."""
    longest = max_seq_length or min(384, model.positions)
    return min(64, max(longest // 2 - 3, 1))


def featurize(
    model: Model,
    dataset: str | os.PathLike[str] | Mapping[str, Any],
    *,
    max_seq_length: int | None = None,
    doc_stride: int = 128,
    max_query_length: int | None = None,
) -> Featurized:
    """A file in SQuAD's format, or what it holds, as windows of word pieces for the model.

    Windows have 384 word pieces, or as many as the model has positions; lengths are run_squad.py's,
    and questions are by default no longer than `longest_question`. Raises `UserError` as the
    command featurize does, where texts are read by a guess that leaves much of them unknown.
    """
    from bertsquad.data import featurization, squad
    from bertsquad.data.casing import find_casing
    from bertsquad.data.casing_check import check_guess

    if isinstance(dataset, Mapping):
        parsed = squad.parse(dict(dataset), source="the dataset")
    else:
        parsed = squad.load(dataset)
    longest = max_seq_length or min(384, model.positions)
    if longest > model.positions:
        raise UserError(
            f"max_seq_length is {longest}; expected at most {model.positions}, which is how many "
            "positions the model has"
        )
    made = featurization.featurize(
        parsed,
        model.vocabulary,
        max_seq_length=longest,
        doc_stride=doc_stride,
        max_query_length=(
            longest_question(model, longest) if max_query_length is None else max_query_length
        ),
        training=False,
    )
    vocabulary = model.folder / "vocab.txt"
    if find_casing(vocabulary, model.vocabulary.tokens).guessed:
        check_guess(vocabulary, parsed, model.vocabulary, made)
    return Featurized(parsed, made)


def decode(
    model: Model,
    asked: Featurized,
    *,
    n_best_size: int = 20,
    max_answer_length: int = 30,
    null_score_diff_threshold: float | None = None,
) -> Decoded:
    """Run the model over the windows, and decode: `predictions` maps ids to answers, `nbest` to
    texts with probabilities, as run_squad.py finds them. With a threshold questions may be without
    an answer, as in SQuAD 2.0: it is "" where its score is above the best answer's by more."""
    from bertsquad.answers import decoding

    start, end, starts = _logits(model, asked)
    return decoding.decode(
        asked.features,
        asked.dataset,
        model.vocabulary,
        start,
        end,
        starts,
        n_best_size=n_best_size,
        max_answer_length=max_answer_length,
        null_score_diff_threshold=null_score_diff_threshold,
    )


def score(
    dataset: str | os.PathLike[str] | Mapping[str, Any],
    predictions: str | os.PathLike[str] | Mapping[str, str],
) -> dict[str, Any]:
    """Exact match and F1 in percent as evaluate-v1.1.py prints them, and their 95 % intervals for
    other questions on these articles: `exact_match`, `f1`, `exact_match_interval`, `f1_interval`,
    `questions`. A file of SQuAD 2.0 is scored as evaluate-v2.0.py does. A question without a
    prediction counts as wrong. `UserError` for a question without gold answers in any other one,
    and where no prediction is for one of the questions."""
    from bertsquad.answers import intervals, metrics_v2
    from bertsquad.files import read_json

    content = dict(dataset) if isinstance(dataset, Mapping) else read_json(dataset)
    given = dict(predictions if isinstance(predictions, Mapping) else read_json(predictions))
    scores = metrics_v2.scorer(content)(content, given)
    if given and not set(given) & set(scores.ids):
        raise UserError(
            f"predictions for other questions: none of {len(given)} is for one of the "
            f"{len(scores.ids)} of the dataset"
        )
    found = intervals.of_scores(scores.exact_match, scores.f1)
    return {
        **scores.totals(),
        "exact_match_interval": found.exact_match,
        "f1_interval": found.f1,
        "questions": len(scores.ids),
    }


def _logits(model: Model, asked: Featurized) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from bertsquad.engines.whole_set import compute_logits

    return compute_logits(model.engine, asked.features)


def _placed(
    best: NBest, asked: Featurized, start_logits: np.ndarray, starts: np.ndarray
) -> list[Answer]:
    """The answers to the only question, with their places in the passage."""
    from bertsquad.data.tokenization import split_words

    words = split_words(asked.dataset.paragraphs[0].context)
    passage = " ".join(words)
    begins = [0]
    for each in words:
        begins.append(begins[-1] + len(each) + 1)
    answers = []
    pairs = zip(best.texts, best.probabilities, best.start_logits, strict=True)
    for text, probability, start_logit in pairs:
        word = _word_of(start_logit, asked.features, start_logits, starts)
        at = -1 if word is None else passage.find(text, begins[word])
        at = passage.find(text) if at < 0 else at
        found = bool(text) and at >= 0
        begin, end = (at, at + len(text)) if found else (None, None)
        answers.append(Answer(text, probability, begin, end, passage))
    return answers


def _best_first(answers: list[Answer], predicted: str) -> list[Answer]:
    """The predicted one before the others: a threshold other than 0 may put "" before a better
    span, or behind a worse one."""
    first = next(number for number, one in enumerate(answers) if one.text == predicted)
    return [answers[first], *answers[:first], *answers[first + 1 :]]


def _word_of(
    start_logit: float, features: Features, start_logits: np.ndarray, starts: np.ndarray
) -> int | None:
    """The word of the passage whose piece has this start logit; None where there is none."""
    import numpy as np

    for position in np.flatnonzero(start_logits == np.float32(start_logit)):
        feature = int(np.searchsorted(starts, position, side="right")) - 1
        first = 2 + int(features.question_lengths[features.feature_question[feature]])
        piece = int(position - starts[feature]) - first
        if 0 <= piece < features.doc_length[feature]:
            return int(features.context_words[piece + features.doc_start[feature]])
    return None
