"""Where an answer is among the words and among the tokens of its context, for training."""

from collections.abc import Sequence

import numpy as np

from bertsquad.data.squad import Answer
from bertsquad.data.tokenization import split_words


def answer_words(
    context: str, word_of_character: Sequence[int] | np.ndarray, answer: Answer
) -> tuple[int, int] | None:
    """First and last word of an answer; None where its text is not in these words (run_squad.py
    read_squad_examples, which leaves such a question out).

    An answer that starts in white space before the first word starts at word -1, the last one, as
    it does in run_squad.py.
    """
    last_character = answer.start + len(answer.text) - 1
    if last_character >= len(word_of_character):
        return None
    start = int(word_of_character[answer.start])
    end = int(word_of_character[last_character])
    text = " ".join(answer.text.split())
    # Just there, with single spaces, it is in its words, too; that need not be looked up.
    if not (text == answer.text and context.startswith(text, answer.start)):
        words = split_words(context)
        if text not in " ".join(words[start : end + 1]):
            return None
    return start, end


def answer_tokens(
    word_starts: Sequence[int], context_ids: Sequence[int], words: tuple[int, int]
) -> tuple[int, int]:
    """First and last token of the words `words`; `word_starts[w]` is the first token of word w."""
    start, end = words
    if end + 1 < len(word_starts):
        return word_starts[start], word_starts[end + 1] - 1
    return word_starts[start], len(context_ids) - 1


def improve_answer_span(
    context_ids: Sequence[int], start: int, end: int, answer_ids: Sequence[int]
) -> tuple[int, int]:
    """The first place within tokens start..end (both included) that holds just the answer's tokens,
    or start..end where there is none (run_squad.py `_improve_answer_span`).

    Words are larger than answers: "1895" is asked for and the word is "(1895-1943).".
    """
    length = len(answer_ids)
    if length:
        for first in range(start, end - length + 2):
            if context_ids[first : first + length] == answer_ids:
                return first, first + length - 1
    return start, end
