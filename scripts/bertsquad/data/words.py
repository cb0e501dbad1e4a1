"""All texts of a dataset as word pieces, every distinct word tokenised once."""

from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

import numpy as np

from bertsquad.data.batching import starts_of
from bertsquad.data.features import ranges
from bertsquad.data.squad import Dataset
from bertsquad.data.tokenization import Vocabulary, split_words


@dataclass(frozen=True, slots=True)
class Tokens:
    """The word pieces of P contexts, Q questions and, for training, Q answers (not cut to length).

    ids int32[T] end to end, starts int64[texts + 1].
    """

    context_ids: np.ndarray
    context_words: np.ndarray  # int32[Tc], the word of its context that each piece is from
    context_starts: np.ndarray
    word_starts: np.ndarray  # int64[all words], first piece of each word, counted in its context
    question_ids: np.ndarray
    question_starts: np.ndarray
    question_paragraph: np.ndarray  # int32[Q]
    answer_ids: np.ndarray
    answer_starts: np.ndarray


def tokenize(dataset: Dataset, vocabulary: Vocabulary, training: bool) -> Tokens:
    """Tokenise every distinct word once and look up all texts in that."""
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    questions = list(dataset.questions())
    contexts = _words_of((p.context for p in dataset.paragraphs), numbers)
    asked = _words_of((q.text for q in questions), numbers)
    # A question without an answer gets an empty one, so that answers are numbered as questions.
    answers = _words_of(
        (q.answers[0].text if q.answers else "" for q in questions) if training else (), numbers
    )
    pieces, piece_starts = vocabulary.encode_words(numbers)

    context_ids, context_starts, lengths = _gather(contexts, pieces, piece_starts)
    word_counts = np.diff(contexts[1])
    local_words = ranges(np.zeros(len(word_counts), np.int64), word_counts)
    question_ids, question_starts, _ = _gather(asked, pieces, piece_starts)
    answer_ids, answer_starts, _ = _gather(answers, pieces, piece_starts)
    paragraph_sizes = [len(p.questions) for p in dataset.paragraphs]
    return Tokens(
        context_ids=context_ids,
        context_words=np.repeat(local_words, lengths).astype(np.int32),
        context_starts=context_starts,
        word_starts=starts_of(lengths)[:-1] - np.repeat(context_starts[:-1], word_counts),
        question_ids=question_ids,
        question_starts=question_starts,
        question_paragraph=np.repeat(np.arange(len(word_counts), dtype=np.int32), paragraph_sizes),
        answer_ids=answer_ids,
        answer_starts=answer_starts,
    )


def _words_of(texts: Iterable[str], numbers: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Texts as word numbers int32[words] end to end, and starts int64[texts + 1]; new words get the
    next numbers.

    Tokenising word by word is right for questions and answers too: a word ends at white space,
    where BasicTokenizer always cuts.
    """
    words, starts = array("i"), array("q", [0])
    for text in texts:
        words.extend(map(numbers.__getitem__, split_words(text)))
        starts.append(len(words))
    return np.array(words, np.int32), np.array(starts, np.int64)


def _gather(
    texts: tuple[np.ndarray, np.ndarray], pieces: np.ndarray, piece_starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Word numbers to word pieces: ids int32[T], their starts int64[texts + 1] and the number of
    pieces of each word int64[words]."""
    words, starts = texts
    lengths = np.diff(piece_starts)[words]
    return pieces[ranges(piece_starts[words], lengths)], starts_of(lengths)[starts], lengths
