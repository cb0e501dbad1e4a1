"""What another engine or precision changes: answers, scores and logits beside a reference's."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from bertsquad.answers.intervals import BOOTSTRAP_SAMPLES, CONFIDENCE, Interval
from bertsquad.answers.logits import Logits
from bertsquad.answers.metrics import Comparison, compare, normalize_answer, questions
from bertsquad.answers.metrics_v2 import NOT_SCORED, golds_of, is_labelled, scorer
from bertsquad.console.errors import UserError

_EXAMPLES = 20  # changed answers that are kept


def compare_answers(
    dataset: Any,
    reference: Mapping[str, str],
    predictions: Mapping[str, str],
    *,
    minimum_f1_share: float,
    samples: int = BOOTSTRAP_SAMPLES,
    seed: int = 0,
    examples: int = _EXAMPLES,
    version_2_with_negative: bool = False,
) -> dict[str, Any]:
    """Predictions beside the reference's, as comparison.json holds them.

    Args:
        dataset: the parsed SQuAD JSON.
        reference, predictions: question id to answer text.
        minimum_f1_share: the predictions pass with at least this share of the reference's F1.
        examples: how many changed answers are kept, the largest change of F1 first.
        version_2_with_negative: score as SQuAD 2.0 even where the dataset does not say it is that.

    Scores are in percent, differences (these minus the reference) in points; `f1_share` is None
    where the reference's F1 is 0, and then anything passes. `gate` is "passed" or "failed" where
    the interval of the difference says so, else "cannot tell"; `passed` is False for "failed".

    Where no question has an answer, only what changed is counted: what is scored is None, the gate
    "cannot tell", and `not_scored` says why.
    """
    if not is_labelled(dataset):
        return _unscored(dataset, reference, predictions, minimum_f1_share)
    compared = compare(
        dataset,
        reference,
        predictions,
        samples=samples,
        seed=seed,
        scored=scorer(dataset, version_2_with_negative=version_2_with_negative),
    )
    before, after = compared.first.totals(), compared.second.totals()
    gate = _gate(before["f1"], compared.f1_interval, minimum_f1_share)
    normalized = sum(
        normalize_answer(reference.get(id_, "")) != normalize_answer(predictions.get(id_, ""))
        for id_ in compared.changes
    )
    return {
        "questions": len(compared.first.ids),
        "exact_match": after["exact_match"],
        "reference_exact_match": before["exact_match"],
        "exact_match_difference": compared.exact_match_difference,
        "exact_match_difference_interval": compared.exact_match_interval,
        "exact_match_sign_test": compared.exact_match_sign_test,
        "f1": after["f1"],
        "reference_f1": before["f1"],
        "f1_difference": compared.f1_difference,
        "f1_difference_interval": compared.f1_interval,
        "f1_difference_interval_articles": compared.f1_interval_articles,
        "f1_sign_test": compared.f1_sign_test,
        "confidence": CONFIDENCE,
        "bootstrap_samples": samples,
        "f1_share": after["f1"] / before["f1"] if before["f1"] else None,
        "minimum_f1_share": minimum_f1_share,
        "gate": gate,
        "passed": gate != "failed",
        "changed_answers": compared.changed_answers,
        "changed_answers_normalized": normalized,
        "better": compared.better,
        "worse": compared.worse,
        "equal": compared.changed_answers - compared.better - compared.worse,
        "examples": _changed_examples(dataset, reference, predictions, compared, examples),
    }


_SCORED = (
    *("exact_match", "reference_exact_match", "exact_match_difference"),
    *("exact_match_difference_interval", "exact_match_sign_test", "f1", "reference_f1"),
    *("f1_difference", "f1_difference_interval", "f1_difference_interval_articles"),
    *("f1_sign_test", "f1_share", "better", "worse", "equal"),
)


def _unscored(
    dataset: Any,
    reference: Mapping[str, str],
    predictions: Mapping[str, str],
    minimum_f1_share: float,
) -> dict[str, Any]:
    """How many answers changed, of questions without gold answers."""
    pairs = [(reference.get(q["id"]), predictions.get(q["id"])) for q in questions(dataset)]
    changed = [(before, after) for before, after in pairs if before != after]
    normalized = sum(
        normalize_answer(before or "") != normalize_answer(after or "") for before, after in changed
    )
    return {
        **dict.fromkeys(_SCORED),
        "questions": len(pairs),
        "minimum_f1_share": minimum_f1_share,
        "gate": "cannot tell",
        "passed": True,
        "changed_answers": len(changed),
        "changed_answers_normalized": normalized,
        "examples": [],
        "not_scored": NOT_SCORED,
    }


def _gate(reference_f1: float, difference: Interval, minimum_share: float) -> str:
    """Whether the share of the reference's F1 is at least `minimum_share`, as far as the interval
    of the difference in points tells."""
    limit = minimum_share * reference_f1
    low, high = (reference_f1 + end for end in difference)
    if not reference_f1 or low >= limit:
        return "passed"
    return "failed" if high < limit else "cannot tell"


def _changed_examples(
    dataset: Any,
    reference: Mapping[str, str],
    predictions: Mapping[str, str],
    compared: Comparison,
    count: int,
) -> list[dict[str, Any]]:
    """Up to `count` changed answers, the largest change of F1 first and equal ones as in the
    dataset; the F1 of each is from 0 to 1."""
    changed = [number for number, id_ in enumerate(compared.first.ids) if id_ in compared.changes]
    change = np.abs(compared.second.f1 - compared.first.f1)[changed]
    largest = np.argsort(-change, kind="stable")[:count]
    every = list(questions(dataset))
    return [
        {
            "id": every[number]["id"],
            "question": every[number].get("question", ""),
            "reference_answer": reference.get(every[number]["id"]),
            "answer": predictions.get(every[number]["id"]),
            "gold_answers": list(dict.fromkeys(golds_of(every[number]))),
            "reference_f1": float(compared.first.f1[number]),
            "f1": float(compared.second.f1[number]),
        }
        for number in (changed[place] for place in largest)
    ]


def compare_logits(
    reference: Logits, logits: Logits, *, max_answer_length: int
) -> dict[str, int | float]:
    """Logits of the same features beside the reference's.

    The largest absolute differences over all tokens, and in how many features the best span moved
    (`best_spans`).
    """
    start = float(np.abs(logits.start_logits - reference.start_logits).max(initial=0))
    end = float(np.abs(logits.end_logits - reference.end_logits).max(initial=0))
    spans = [best_spans(each, max_answer_length) for each in (reference, logits)]
    features = len(logits.starts) - 1
    changed = int((spans[0] != spans[1]).any(axis=1).sum())
    return {
        "features": features,
        "changed_spans": changed,
        "changed_spans_share": changed / features if features else 0.0,
        "max_start_logit_difference": start,
        "max_end_logit_difference": end,
        "max_logit_difference": max(start, end),
    }


def best_spans(logits: Logits, max_answer_length: int) -> np.ndarray:
    """First and last token, int64[N, 2], of each feature's span with the largest sum of start and
    end logit, no longer than `max_answer_length` tokens; among equals the first.

    The tokens are those of all features, so question and special tokens count too: a model
    points at [CLS] where a window lacks the answer.
    """
    lengths = np.diff(logits.starts)
    features = len(lengths)
    if not features:
        return np.empty((0, 2), np.int64)
    tokens = len(logits.start_logits)
    feature = np.repeat(np.arange(features), lengths)  # [T]
    # Behind each feature as many places as a span is long, so that none reaches into the next.
    longest = min(max_answer_length, int(lengths.max()))
    place = np.arange(tokens) + feature * longest  # [T]
    ends = np.full(tokens + features * longest, -np.inf, np.float32)
    ends[place] = logits.end_logits
    windows = np.lib.stride_tricks.sliding_window_view(ends, longest)
    best = logits.start_logits + windows.max(axis=1)[place]  # [T], of the spans that start there
    top = np.repeat(np.maximum.reduceat(best, logits.starts[:-1]), lengths)
    hits = np.flatnonzero(best == top)
    first = hits[np.unique(feature[hits], return_index=True)[1]]
    return np.stack([first, first + windows[place[first]].argmax(axis=1)], axis=1)


def check_same_features(
    reference_path: str | os.PathLike[str],
    reference: Logits,
    path: str | os.PathLike[str],
    logits: Logits,
) -> None:
    """Raise `UserError` unless both files hold the logits of the same features."""
    if logits.features_sha256 != reference.features_sha256 or not np.array_equal(
        logits.starts, reference.starts
    ):
        raise UserError(
            f"{path}: logits of other features than {reference_path} (sha256 "
            f"{logits.features_sha256[:12]}… and {reference.features_sha256[:12]}…); run "
            "compute_logits again with one features file for both"
        )
