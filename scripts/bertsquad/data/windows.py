"""Overlapping windows over a long context, and which window sees most around each token."""

import numpy as np

from bertsquad.console.errors import UserError


def doc_spans(tokens: int, room: int, doc_stride: int) -> list[tuple[int, int]]:
    """(start, length) of each window over `tokens` context tokens (run_squad.py).

    A window has `room` tokens at most, and the next one starts `doc_stride` tokens further: the
    stride is the step, not the overlap. The last window ends with the context; without tokens there
    are no windows.
    """
    spans = []
    start = 0
    while start < tokens:
        length = min(tokens - start, room)
        spans.append((start, length))
        if start + length == tokens:
            break
        start += min(length, doc_stride)
    return spans


def max_context(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(begin, end) of the context tokens for which each window is the best (run_squad.py
    `_check_is_max_context`).

    The best window for a token is the one with the largest min(tokens left of it, tokens right of
    it) + 0.01 * length; the earliest of equals. Every token has exactly one, and the tokens of a
    window are neighbours, so one range is enough. A window may have none: begin == end.

    Raises `UserError` where rounding breaks a tie differently from one token to the next, so that
    the tokens are no range. That takes a doc_stride that is a multiple of 101 and a last window
    shorter by the same multiple of 100.
    """
    tokens = spans[-1][0] + spans[-1][1] if spans else 0
    best = np.full(tokens, -1.0)
    owner = np.zeros(tokens, np.int64)
    for number, (start, length) in enumerate(spans):
        left = np.arange(length)
        score = np.minimum(left, left[::-1]) + 0.01 * length
        window = slice(start, start + length)
        better = score > best[window]
        best[window][better] = score[better]
        owner[window][better] = number
    if np.any(owner[1:] < owner[:-1]):
        raise UserError(
            f"doc_stride: {spans[1][0] - spans[0][0]} makes two windows equally good for some "
            "tokens, and rounding alone decides between them; choose a stride that is one larger"
        )
    numbers = np.arange(len(spans))
    begins = np.searchsorted(owner, numbers, side="left").tolist()
    ends = np.searchsorted(owner, numbers, side="right").tolist()
    return list(zip(begins, ends, strict=True))
