"""Answers among words and tokens."""

from hypothesis import given
from hypothesis import strategies as st

from bertsquad.data.squad import Answer
from bertsquad.data.targets import answer_tokens, answer_words, improve_answer_span
from bertsquad.data.tokenization import word_of_characters


def words_of(context: str, text: str, start: int) -> tuple[int, int] | None:
    return answer_words(context, word_of_characters(context), Answer(text, start))


def test_an_answer_is_in_the_words_that_hold_its_first_and_last_character() -> None:
    assert words_of("was John Smith (1895-1943).", "John Smith", 4) == (1, 2)
    assert words_of("was John Smith (1895-1943).", "1895", 16) == (3, 3)


def test_a_slightly_wrong_offset_in_the_same_words_does_not_matter() -> None:
    assert words_of("was John Smith (1895-1943).", "1895", 18) == (3, 3)


def test_an_answer_that_is_not_in_those_words_is_not_found() -> None:
    assert words_of("was John Smith (1895-1943).", "1895", 4) is None
    assert words_of("was John Smith (1895-1943).", "Jane", 4) is None


def test_an_answer_beyond_the_context_is_not_found() -> None:
    assert words_of("was John", "John", 5) is None
    assert words_of("was John", "John", 10**30) is None


def test_white_space_in_the_answer_counts_as_one_space() -> None:
    assert words_of("a  b\tc", "a  b\tc", 0) == (0, 2)
    # A no-break space keeps a word of the context whole, but not the answer's text.
    assert words_of("a\u00a0b c", "a\u00a0b", 0) is None


def test_white_space_before_the_first_word_counts_as_the_last_word() -> None:
    # run_squad.py's map holds -1 there, and Python counts that from the end.
    assert words_of(" abc", " abc", 0) == (-1, 0)
    assert words_of(" abc def", " abc", 0) is None


def test_words_to_tokens() -> None:
    # Three words of one, three and two pieces.
    assert answer_tokens([0, 1, 4], [7] * 6, (1, 1)) == (1, 3)
    assert answer_tokens([0, 1, 4], [7] * 6, (1, 2)) == (1, 5)


def test_the_answer_is_narrowed_to_its_own_tokens() -> None:
    #        (  1895  -  1943  )  .
    ids = [5, 6, 7, 8, 9, 10]
    assert improve_answer_span(ids, 0, 5, [6]) == (1, 1)
    assert improve_answer_span(ids, 0, 5, [7, 8]) == (2, 3)
    assert improve_answer_span(ids, 0, 5, ids) == (0, 5)


def test_the_first_of_several_places_wins() -> None:
    assert improve_answer_span([1, 2, 1, 2, 1], 0, 4, [1, 2]) == (0, 1)
    assert improve_answer_span([1, 2, 1, 2, 1], 1, 4, [1, 2]) == (2, 3)


def test_part_of_a_word_piece_cannot_be_narrowed_to() -> None:
    # "Japan" in "Japanese": other pieces, so the whole word stays.
    assert improve_answer_span([1, 2, 3], 1, 1, [9]) == (1, 1)
    assert improve_answer_span([1, 2, 3], 0, 2, []) == (0, 2)


SMALL = st.lists(st.integers(0, 2), max_size=8)


@given(SMALL, st.integers(0, 7), st.integers(0, 7), st.lists(st.integers(0, 2), max_size=4))
def test_narrowing_equals_the_plain_search(
    ids: list[int], start: int, end: int, wanted: list[int]
) -> None:
    end = min(end, len(ids) - 1)
    windows = [(a, b) for a in range(start, end + 1) for b in range(end, a - 1, -1)]
    found = (window for window in windows if ids[window[0] : window[1] + 1] == wanted)
    assert improve_answer_span(ids, start, end, wanted) == next(found, (start, end))
