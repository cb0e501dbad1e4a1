"""Windows over long contexts."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import plain_run_squad
from bertsquad.console.errors import UserError
from bertsquad.data.windows import doc_spans, max_context


def test_a_context_that_fits_is_one_window() -> None:
    assert doc_spans(5, 8, 3) == [(0, 5)]
    assert doc_spans(8, 8, 3) == [(0, 8)]


def test_windows_step_by_the_stride_and_the_last_ends_with_the_context() -> None:
    assert doc_spans(20, 8, 3) == [(0, 8), (3, 8), (6, 8), (9, 8), (12, 8)]
    assert doc_spans(372, 371, 128) == [(0, 371), (128, 244)]


def test_a_stride_larger_than_the_window_leaves_no_gap() -> None:
    assert doc_spans(10, 4, 128) == [(0, 4), (4, 4), (8, 2)]


def test_no_tokens_no_window() -> None:
    assert doc_spans(0, 8, 3) == []
    assert max_context([]) == []


def test_the_window_with_most_context_on_both_sides_wins() -> None:
    assert max_context([(0, 8), (3, 8), (6, 8), (9, 8), (12, 8)]) == [
        (0, 6),
        (6, 9),
        (9, 12),
        (12, 15),
        (15, 20),
    ]


def test_the_earlier_window_wins_a_tie() -> None:
    # Token 3 has two tokens to its nearer side in both windows.
    assert max_context([(0, 6), (1, 6)]) == [(0, 4), (4, 7)]


def test_length_breaks_what_would_be_a_tie() -> None:
    # Token 4 is one from the end of both windows, and the first is longer.
    assert max_context([(0, 6), (3, 5)]) == [(0, 5), (5, 8)]


def test_a_window_may_be_best_for_no_token() -> None:
    assert max_context([(0, 6), (3, 3)]) == [(0, 6), (6, 6)]


def test_golden_spans(golden: dict[str, Any]) -> None:
    for case in golden["doc_spans"]:
        room = case["max_seq_length"] - case["n_query_tokens"] - 3
        spans = doc_spans(case["n_doc_tokens"], room, case["doc_stride"])
        assert [list(span) for span in spans] == case["spans"]
        runs = [[number, end - begin] for number, (begin, end) in enumerate(max_context(spans))]
        assert runs == case["max_context_span_runs"]


def test_a_stride_at_which_rounding_breaks_ties_is_refused() -> None:
    # 1 + 0.01 * 118 and 2 + 0.01 * 18 are equal, but not in floating point.
    spans = doc_spans(119, 118, 101)
    owners = [plain_run_squad.best_span(spans, position) for position in range(119)]
    assert owners[112:] == [0, 0, 0, 1, 1, 0, 1]
    with pytest.raises(UserError, match=r"doc_stride: 101 .* choose a stride that is one larger"):
        max_context(spans)


SHAPES = st.tuples(st.integers(0, 400), st.integers(1, 120), st.integers(1, 99))


@given(SHAPES)
def test_windows_equal_the_plain_algorithm(shape: tuple[int, int, int]) -> None:
    tokens, room, stride = shape
    spans = doc_spans(tokens, room, stride)
    assert spans == plain_run_squad.spans_of(tokens, room, stride)
    owners = [plain_run_squad.best_span(spans, position) for position in range(tokens)]
    ranges = max_context(spans)
    assert [n for n, (begin, end) in enumerate(ranges) for _ in range(begin, end)] == owners


@given(SHAPES)
def test_every_token_lies_in_exactly_one_max_context_window(shape: tuple[int, int, int]) -> None:
    tokens, room, stride = shape
    spans = doc_spans(tokens, room, stride)
    ranges = max_context(spans)
    assert [p for begin, end in ranges for p in range(begin, end)] == list(range(tokens))
    for (start, length), (begin, end) in zip(spans, ranges, strict=True):
        assert begin == end or start <= begin < end <= start + length


@given(SHAPES)
def test_windows_cover_all_tokens_and_hold_no_more_than_the_room(
    shape: tuple[int, int, int],
) -> None:
    tokens, room, stride = shape
    spans = doc_spans(tokens, room, stride)
    assert all(1 <= length <= room for _, length in spans)
    assert all(second[0] <= first[0] + first[1] for first, second in pairwise(spans))
    assert {p for start, length in spans for p in range(start, start + length)} == set(
        range(tokens)
    )
