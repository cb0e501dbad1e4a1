"""The features of a dataset made by several processes, each from a part of its paragraphs."""

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial, reduce
from itertools import pairwise
from typing import Any

import numpy as np

from bertsquad.console.errors import UserError
from bertsquad.data.features import Features
from bertsquad.data.featurization import IMPOSSIBLE, NAMED_IDS, featurize, featurize_part
from bertsquad.data.squad import Dataset
from bertsquad.data.tokenization import Vocabulary

# A process for fewer takes longer to start than it spares.
LEAST_PARAGRAPHS = 1000

_NONE: dict[str, Any] = {"count": 0, "first": []}  # of the questions

_Make = Callable[[Dataset], Features]


def featurize_in_parallel(
    dataset: Dataset, vocabulary: Vocabulary, *, processes: int, **options: Any
) -> Features:
    """What `featurization.featurize` makes and raises with these options, by up to so many
    processes."""
    parts = split(dataset, min(processes, len(dataset.paragraphs) // LEAST_PARAGRAPHS))
    if len(parts) > 1 and sys.platform == "linux":  # elsewhere forking is not safe
        make = partial(featurize_part, vocabulary=vocabulary, **options)
        try:
            made = _joined(_make_all(make, parts))
        except UserError:
            pass  # its message is about one part only; featurize raises it for the whole
        else:
            if len(made):
                return made
    return featurize(dataset, vocabulary, **options)


def split(dataset: Dataset, count: int) -> list[Dataset]:
    """The dataset in at most `count` parts, one after the other, of about equally long contexts."""
    ends = np.cumsum([len(paragraph.context) for paragraph in dataset.paragraphs])
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, count) / count).tolist()
    edges = sorted({0, *cuts, len(ends)})
    return [
        replace(dataset, paragraphs=dataset.paragraphs[first:last])
        for first, last in pairwise(edges)
    ]


def _make_all(make: _Make, parts: Sequence[Dataset]) -> list[Features]:
    """One process each; a forked one has the dataset already, and only arrays are passed back."""
    with ProcessPoolExecutor(
        len(parts),
        mp_context=multiprocessing.get_context("fork"),
        initializer=_inherit,
        initargs=(make, parts),
    ) as pool:
        made = pool.map(_make_one, range(len(parts)))
        return [Features(arrays, metadata) for arrays, metadata in made]


_inherited: tuple[_Make, Sequence[Dataset]]  # in a child


def _inherit(make: _Make, parts: Sequence[Dataset]) -> None:
    global _inherited
    _inherited = make, parts


def _make_one(number: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    make, parts = _inherited
    features = make(parts[number])
    return features.arrays, features.metadata


def _joined(parts: Sequence[Features]) -> Features:
    """The features of a dataset from those of its parts, as if they were made at once."""
    return Features(
        reduce(_appended, (part.arrays for part in parts)),
        reduce(_summed, (part.metadata for part in parts)),
    )


def _appended(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays end to end; what counts tokens, paragraphs or questions goes on counting."""
    counted_from = {
        "context_starts": len(first["context_ids"]),
        "question_starts": len(first["question_ids"]),
        "question_paragraph": len(first["context_starts"]) - 1,
        "feature_question": len(first["question_starts"]) - 1,
    }
    arrays = {}
    for name, array in first.items():
        more = second[name] + second[name].dtype.type(counted_from.get(name, 0))
        arrays[name] = np.concatenate([array, more[name.endswith("_starts") :]])
    return arrays


def _summed(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """How two parts were made, which is alike, and what was left out or cut in either."""
    impossible = first.get(IMPOSSIBLE, 0) + second.get(IMPOSSIBLE, 0)
    return {
        **first,
        **({IMPOSSIBLE: impossible} if impossible else {}),
        "questions": first["questions"] + second["questions"],
        "truncated": _together(first["truncated"], second["truncated"]),
        "skipped": {
            reason: _together(*(part["skipped"].get(reason, _NONE) for part in (first, second)))
            for reason in {**first["skipped"], **second["skipped"]}
        },
    }


def _together(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {
        "count": first["count"] + second["count"],
        "first": (first["first"] + second["first"])[:NAMED_IDS],
    }
