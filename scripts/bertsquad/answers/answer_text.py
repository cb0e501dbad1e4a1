"""From the WordPieces of an answer back to the text as the passage has it."""

import numpy as np

from bertsquad.data.batching import starts_of
from bertsquad.data.features import Features
from bertsquad.data.squad import Dataset
from bertsquad.data.tokenization import Vocabulary, basic_tokens, split_words


def get_final_text(
    pred_text: str, orig_text: str, lowercase: bool, strip_accents: bool | None = None
) -> str:
    """The part of `orig_text` that `pred_text` stands for: "steve smith" of "Steve Smith's" is
    "Steve Smith" (run_squad.py get_final_text).

    `orig_text` is split as the tokenizer splits it, and `pred_text` is looked for in that. Spaces
    apart, both texts are then taken to agree character by character. Where that fails (a ligature,
    a removed control character, an unknown word), all of `orig_text` is returned.
    """
    tok_text = " ".join(basic_tokens(orig_text, lowercase, strip_accents))
    start = tok_text.find(pred_text)
    if start == -1:
        return orig_text
    orig_characters = [i for i, character in enumerate(orig_text) if character != " "]
    tok_characters = [i for i, character in enumerate(tok_text) if character != " "]
    if len(orig_characters) != len(tok_characters):
        return orig_text
    number = {position: n for n, position in enumerate(tok_characters)}
    first, last = number.get(start), number.get(start + len(pred_text) - 1)
    if first is None or last is None:
        return orig_text
    return orig_text[orig_characters[first] : orig_characters[last] + 1]


class AnswerTexts:
    """Answer texts of one dataset: `get_final_text` for hundreds of thousands of spans at once.

    All passages are laid end to end, as words joined by single spaces and as pieces. As long as no
    word of an answer has an unknown piece, the pieces spell the basic tokens, so the whole
    alignment is arithmetic on how many characters, spaces apart, precede a piece. What remains
    goes through `get_final_text` itself, so the result is always the same as its.
    """

    def __init__(self, dataset: Dataset, features: Features, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.ids = features.context_ids.astype(np.int64)  # [Tc], pieces of all passages
        self.recovered: dict[tuple[str, str], str] = {}

        # Words, W of all passages. A word never holds the space that separates words, so its
        # character number n, spaces apart, is at n + (how many words precede it) in `text`.
        passages = [split_words(paragraph.context) for paragraph in dataset.paragraphs]
        words = [word for passage in passages for word in passage]
        self.text = " ".join(words)
        lengths = np.array([len(word) for word in words], np.int64)
        self.word_characters = starts_of(lengths)  # [W + 1], characters before a word
        self.word_of_character = np.repeat(np.arange(len(words)), lengths)

        # Pieces. Text of a piece as it is glued to what precedes it.
        words_before = starts_of([len(passage) for passage in passages])[:-1]
        pieces = np.diff(features.context_starts)
        self.word_of_piece = features.context_words + np.repeat(words_before, pieces)
        glued = [_glue(token) for token in vocabulary.tokens]
        self.pieces_text = "".join(map(glued.__getitem__, self.ids.tolist()))
        width = np.array([len(text) for text in glued])
        spaced = np.array([text.startswith(" ") for text in glued], np.int64)
        self.piece_end = np.cumsum(width[self.ids])  # [Tc], in `pieces_text`
        self.piece_begin = self.piece_end - (width - spaced)[self.ids]
        self.piece_characters = starts_of((width - spaced)[self.ids])  # [Tc + 1], spaces apart
        # [W + 1]; a word of control characters alone has no piece
        self.first_piece = np.searchsorted(self.word_of_piece, np.arange(len(words) + 1))
        strange = np.array(["##" in token[1:] for token in vocabulary.tokens])
        strange[vocabulary.unk] = True
        self.strange_before = starts_of(strange[self.ids])  # [Tc + 1]

    def spans(self, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the answers from piece `first` to piece `last` [C] begin and end in `self.text`.

        Begin is -1 where the answer needs `recover`.
        """
        first_word, last_word = self.word_of_piece[first], self.word_of_piece[last]
        begin_piece, end_piece = self.first_piece[first_word], self.first_piece[last_word + 1]
        begin_character = self.word_characters[first_word]
        end_character = self.word_characters[last_word + 1]

        aligned = (
            end_character - begin_character
            == self.piece_characters[end_piece] - self.piece_characters[begin_piece]
        )
        # Aligned: as many characters into the words as the answer is into the pieces of the words.
        offset = begin_character - self.piece_characters[begin_piece]
        first_character = np.where(aligned, self.piece_characters[first] + offset, begin_character)
        last_character = np.where(aligned, self.piece_characters[last + 1] + offset, end_character)
        last_character -= 1
        strange = self.strange_before[end_piece] > self.strange_before[begin_piece]
        last_character[strange] = 0  # their widths mean nothing and may point anywhere
        first_character[strange] = 0
        begin = first_character + self.word_of_character[first_character]
        end = last_character + self.word_of_character[last_character] + 1

        begin[strange] = -1
        inside_a_word = np.flatnonzero(aligned & ~strange & (first > begin_piece))
        begin[inside_a_word[self.occur_earlier(first, last, begin_piece, inside_a_word)]] = -1
        return begin, end

    def occur_earlier(
        self, first: np.ndarray, last: np.ndarray, begin_piece: np.ndarray, which: np.ndarray
    ) -> np.ndarray:
        """Whether each answer's text also occurs before it, in the rest of its first word.

        `get_final_text` takes the first occurrence, be it the wrong one.
        """
        text = self.pieces_text
        where = (
            self.piece_begin[begin_piece[which]],
            self.piece_begin[first[which]],
            self.piece_end[last[which]],
        )
        return np.array(
            [
                text.find(text[begin:end], word_begin, end) != begin
                for word_begin, begin, end in zip(*(x.tolist() for x in where), strict=True)
            ],
            dtype=bool,
        )

    def recover(self, first: int, last: int) -> str:
        """The text of the answer from piece `first` to piece `last`, by `get_final_text`."""
        pieces = " ".join(
            [self.vocabulary.tokens[id_] for id_ in self.ids[first : last + 1].tolist()]
        )
        pred_text = " ".join(pieces.replace(" ##", "").replace("##", "").split())
        first_word, last_word = int(self.word_of_piece[first]), int(self.word_of_piece[last])
        # One space precedes every word but the first.
        begin = int(self.word_characters[first_word]) + first_word
        orig_text = self.text[begin : int(self.word_characters[last_word + 1]) + last_word]
        key = (pred_text, orig_text)
        if key not in self.recovered:
            self.recovered[key] = get_final_text(
                pred_text, orig_text, self.vocabulary.lowercase, self.vocabulary.strip_accents
            )
        return self.recovered[key]


def _glue(token: str) -> str:
    """A piece as it continues the text before it: "##er" as "er", "bowl" as " bowl"."""
    return token.removeprefix("##") if token.startswith("##") else " " + token
