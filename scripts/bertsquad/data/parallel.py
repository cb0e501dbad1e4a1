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
from bertsquad.data.featurization import NAMED_IDS, featurize, featurize_part
from bertsquad.data.squad import Dataset
from bertsquad.data.tokenization import Vocabulary

# A process for fewer takes longer to start than it spares.
LEAST_PARAGRAPHS = 1000

NONE: dict[str, Any] = {"count": 0, "first": []}  # of the questions

Make = Callable[[Dataset], Features]


def featurize_in_parallel(
    dataset: Dataset, vocabulary: Vocabulary, *, processes: int, **options: Any
) -> Features:
    """What `featurization.featurize` makes and raises with these options, by up to so many
    processes."""
    parts = split(dataset, min(processes, len(dataset.paragraphs) // LEAST_PARAGRAPHS))
    if len(parts) > 1 and sys.platform == "linux":  # elsewhere forking is not safe
        make = partial(featurize_part, vocabulary=vocabulary, **options)
        try:
            made = joined(make_all(make, parts))
        except UserError:
            pass  # says only what is wrong with one part
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


def make_all(make: Make, parts: Sequence[Dataset]) -> list[Features]:
    """One process each; a forked one has the dataset already, and only arrays are passed back."""
    with ProcessPoolExecutor(
        len(parts),
        mp_context=multiprocessing.get_context("fork"),
        initializer=inherit,
        initargs=(make, parts),
    ) as pool:
        made = pool.map(make_one, range(len(parts)))
        return [Features(arrays, metadata) for arrays, metadata in made]


inherited: tuple[Make, Sequence[Dataset]]  # in a child


def inherit(make: Make, parts: Sequence[Dataset]) -> None:
    global inherited
    inherited = make, parts


def make_one(number: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    make, parts = inherited
    features = make(parts[number])
    return features.arrays, features.metadata


def joined(parts: Sequence[Features]) -> Features:
    """The features of a dataset from those of its parts, as if they were made at once."""
    return Features(
        reduce(appended, (part.arrays for part in parts)),
        reduce(summed, (part.metadata for part in parts)),
    )


def appended(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
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


def summed(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """How two parts were made, which is alike, and what was left out or cut in either."""
    return {
        **first,
        "questions": first["questions"] + second["questions"],
        "truncated": together(first["truncated"], second["truncated"]),
        "skipped": {
            reason: together(*(part["skipped"].get(reason, NONE) for part in (first, second)))
            for reason in {**first["skipped"], **second["skipped"]}
        },
    }


def together(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {
        "count": first["count"] + second["count"],
        "first": (first["first"] + second["first"])[:NAMED_IDS],
    }
