"""run_squad.py's tokeniser and features once more, slow and plain: what the fast ones must equal.

Written from the description of the algorithm, character by character and dictionary by dictionary;
shares no code with the library.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field


def basic_tokens(text: str, lowercase: bool) -> list[str]:
    cleaned = []
    for character in text:
        category = unicodedata.category(character)
        code = ord(character)
        if character in " \t\n\r" or category == "Zs":
            cleaned.append(" ")
        elif code in (0, 0xFFFD) or category in ("Cc", "Cf"):
            continue
        elif (
            0x3400 <= code <= 0x4DBF
            or 0x4E00 <= code <= 0x9FFF
            or 0xF900 <= code <= 0xFAFF
            or 0x20000 <= code <= 0x2A6DF
            or 0x2A700 <= code <= 0x2B73F
            or 0x2B740 <= code <= 0x2B81F
            or 0x2B820 <= code <= 0x2CEAF
            or 0x2F800 <= code <= 0x2FA1F
        ):
            cleaned += [" ", character, " "]
        else:
            cleaned.append(character)
    tokens = []
    for word in "".join(cleaned).split():
        if lowercase:
            decomposed = unicodedata.normalize("NFD", word.lower())
            word = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
        piece = ""
        for character in word:
            code = ord(character)
            if (
                33 <= code <= 47
                or 58 <= code <= 64
                or 91 <= code <= 96
                or 123 <= code <= 126
                or unicodedata.category(character)[0] == "P"
            ):
                tokens += [piece, character]
                piece = ""
            else:
                piece += character
        tokens.append(piece)
    return " ".join(tokens).split()


def wordpieces(token: str, vocabulary: set[str] | dict[str, int]) -> list[str]:
    if len(token) > 200:
        return ["[UNK]"]
    pieces = []
    start = 0
    while start < len(token):
        for end in range(len(token), start, -1):
            piece = ("##" if start else "") + token[start:end]
            if piece in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces


def tokenize(text: str, vocabulary: dict[str, int], lowercase: bool) -> list[str]:
    return [p for token in basic_tokens(text, lowercase) for p in wordpieces(token, vocabulary)]


def words_and_map(context: str) -> tuple[list[str], list[int]]:
    words: list[str] = []
    char_to_word = []
    after_space = True
    for character in context:
        if character in " \t\r\n" or ord(character) == 0x202F:
            after_space = True
        elif after_space:
            words.append(character)
            after_space = False
        else:
            words[-1] += character
        char_to_word.append(len(words) - 1)
    return words, char_to_word


@dataclass
class Feature:
    tokens: list[str]
    input_ids: list[int]
    input_mask: list[int]
    segment_ids: list[int]
    token_to_orig_map: dict[int, int]
    token_is_max_context: dict[int, bool]
    start_position: int | None
    end_position: int | None
    doc_span: tuple[int, int] = field(default=(0, 0))


def spans_of(count: int, room: int, doc_stride: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start = 0
    while start < count:
        length = count - start
        if length > room:
            length = room
        spans.append((start, length))
        if start + length == count:
            break
        start += min(length, doc_stride)
    return spans


def best_span(spans: list[tuple[int, int]], position: int) -> int:
    best_score = None
    best = -1
    for number, (start, length) in enumerate(spans):
        last = start + length - 1
        if position < start or position > last:
            continue
        score = min(position - start, last - position) + 0.01 * length
        if best_score is None or score > best_score:
            best_score = score
            best = number
    return best


def features_of(
    context: str,
    question: str,
    answer: tuple[str, int] | None,  # training: text and answer_start
    *,
    tokenize: Callable[[str], list[str]],
    vocabulary: dict[str, int],
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
) -> list[Feature] | None:
    """The features of one example, or None where run_squad.py skips it."""
    words, char_to_word = words_and_map(context)
    if answer is not None:
        text, offset = answer
        first_word = char_to_word[offset]
        last_word = char_to_word[offset + len(text) - 1]
        around = " ".join(words[first_word : last_word + 1])
        if around.find(" ".join(text.strip().split())) == -1:
            return None

    query = tokenize(question)[:max_query_length]
    word_of_token: list[int] = []
    first_token: list[int] = []
    pieces: list[str] = []
    for number, word in enumerate(words):
        first_token.append(len(pieces))
        for piece in tokenize(word):
            word_of_token.append(number)
            pieces.append(piece)

    if answer is not None:
        answer_start = first_token[first_word]
        if last_word < len(words) - 1:
            answer_end = first_token[last_word + 1] - 1
        else:
            answer_end = len(pieces) - 1
        wanted = " ".join(tokenize(answer[0]))
        answer_start, answer_end = improved(pieces, answer_start, answer_end, wanted)

    made = []
    spans = spans_of(len(pieces), max_seq_length - len(query) - 3, doc_stride)
    for number, (start, length) in enumerate(spans):
        target: tuple[int | None, int | None] = (None, None)
        if answer is not None:
            if answer_start >= start and answer_end <= start + length - 1:
                shift = len(query) + 2 - start
                target = (answer_start + shift, answer_end + shift)
            else:
                target = (0, 0)
        made.append(
            feature_of(
                spans, number, query, pieces, word_of_token, target, vocabulary, max_seq_length
            )
        )
    return made


def feature_of(
    spans: list[tuple[int, int]],
    number: int,
    query: list[str],
    pieces: list[str],
    word_of_token: list[int],
    target: tuple[int | None, int | None],
    vocabulary: dict[str, int],
    max_seq_length: int,
) -> Feature:
    """The feature of one of an example's windows."""
    start, length = spans[number]
    tokens = ["[CLS]", *query, "[SEP]"]
    segments = [0] * len(tokens)
    orig_map, is_max = {}, {}
    for position in range(start, start + length):
        orig_map[len(tokens)] = word_of_token[position]
        is_max[len(tokens)] = best_span(spans, position) == number
        tokens.append(pieces[position])
        segments.append(1)
    tokens.append("[SEP]")
    segments.append(1)
    padding = [0] * (max_seq_length - len(tokens))
    return Feature(
        tokens,
        [vocabulary[token] for token in tokens] + padding,
        [1] * len(tokens) + padding,
        segments + padding,
        orig_map,
        is_max,
        *target,
        doc_span=(start, length),
    )


def improved(pieces: list[str], start: int, end: int, wanted: str) -> tuple[int, int]:
    for new_start in range(start, end + 1):
        for new_end in range(end, new_start - 1, -1):
            if " ".join(pieces[new_start : new_end + 1]) == wanted:
                return new_start, new_end
    return start, end
