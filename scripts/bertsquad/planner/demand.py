"""The classes of length that are asked for, and the lengths of their requests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bertsquad.console.errors import UserError
from bertsquad.planner.cells import Questions
from bertsquad.planner.wanted import Wanted

MOST_LENGTHS = 4000  # of a class, evenly spaced by rank


@dataclass(frozen=True, slots=True)
class LengthClass:
    """Requests between two lengths."""

    name: str
    share: float  # of all questions
    lengths: np.ndarray  # int64[k], of as many requests, as the questions have them


def length_classes(wanted: Wanted, questions: Questions) -> dict[str, LengthClass]:
    """The classes with a share, by name; `UserError` for a share of lengths that no question has.

    Longer requests than the last end belong to the last class.
    """
    ends = wanted.length_classes
    lengths = np.repeat(questions.lengths, questions.counts)
    numbers = np.minimum(np.searchsorted(ends, lengths), len(ends) - 1)
    names = list(wanted.lengths or (f"up to {end}" for end in ends))
    found = {}
    for number, name in enumerate(names):
        inside = lengths[numbers == number]
        share = len(inside) / len(lengths)
        if wanted.lengths is not None:
            share = wanted.lengths[name]
        if share == 0:
            continue
        if not len(inside):
            least = ends[number - 1] + 1 if number else 1
            raise UserError(
                f"plan.lengths.{name}: no feature of the questions has {least} to {ends[number]} "
                f"word pieces (they have {lengths.min()} to {lengths.max()}); give it the share 0 "
                "or other length_classes"
            )
        found[name] = LengthClass(name, share, _thinned(inside))
    return found


def _thinned(lengths: np.ndarray) -> np.ndarray:
    """At most MOST_LENGTHS of them, ascending, evenly spaced."""
    lengths = np.sort(lengths)
    if len(lengths) <= MOST_LENGTHS:
        return lengths
    places = (2 * np.arange(MOST_LENGTHS) + 1) * len(lengths) // (2 * MOST_LENGTHS)
    thinned: np.ndarray = lengths[places]
    return thinned
