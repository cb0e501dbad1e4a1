"""Learn a WordPiece vocabulary from a small text by byte-pair merging."""

import heapq
import itertools
import string
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# Characters of questions that users may ask, whether the demo's text has them or not.
CHARACTERS = string.ascii_lowercase + string.digits + string.punctuation + "“”‘’–—…°£€§ßøæœłđ"


def make_vocabulary(
    texts: Iterable[str], *, size: int, least_occurrences: int = 40, least_words: int = 5
) -> list[str]:
    """The tokens of an uncased vocabulary, in the order of their ids: at most `size` of them.

    They are the special tokens; every character alone and as a continuation, so that no word of
    known characters is [UNK]; the words that occur `least_occurrences` times or more; and the
    pieces of byte-pair merging (Sennrich et al. 2016) over the different words, as long as a pair
    is in `least_words` of them. Each word counts once, so pieces are the parts of names, not whole
    names: a new name is split into the same parts as a name of the training set. Of equally common
    pairs the one that sorts first merges, so the same texts give the same vocabulary.
    """
    counts = Counter(word for text in texts for word in split(text))
    characters = sorted(set(CHARACTERS).union(*counts))
    frequent = sorted(
        (word for word, count in counts.items() if count >= least_occurrences),
        key=lambda word: (-counts[word], word),
    )
    tokens = [
        *SPECIAL_TOKENS,
        *characters,
        *(f"##{character}" for character in characters),
        *frequent,
        *merges(sorted(counts), least_words),
    ]
    return list(dict.fromkeys(tokens))[:size]


def split(text: str) -> list[str]:
    """BERT's basic tokens of a text: lower case, no accents, punctuation separate."""
    text = unicodedata.normalize("NFD", text.lower())
    text = "".join(character for character in text if unicodedata.category(character) != "Mn")
    spaced = (
        f" {character} " if not (character.isalnum() or character.isspace()) else character
        for character in text
    )
    return "".join(spaced).split()


def merges(vocabulary: list[str], least_count: int) -> Iterable[str]:
    """The pieces of byte-pair merging over different words, the most common pair first."""
    words = [[word[0], *(f"##{letter}" for letter in word[1:])] for word in vocabulary]
    pairs: Counter[tuple[str, str]] = Counter()
    places: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for number, pieces in enumerate(words):
        for pair in itertools.pairwise(pieces):
            pairs[pair] += 1
            places[pair].add(number)
    queue = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(queue)
    while queue:
        count, pair = heapq.heappop(queue)
        if -count != pairs[pair]:
            continue  # an older count of the pair
        if -count < least_count:
            return
        merged = pair[0] + pair[1].removeprefix("##")
        yield merged
        changed = set()
        for number in sorted(places.pop(pair)):
            before = words[number]
            words[number] = after = merge(before, pair, merged)
            for old in itertools.pairwise(before):
                pairs[old] -= 1
                changed.add(old)
            for new in itertools.pairwise(after):
                pairs[new] += 1
                places[new].add(number)
                changed.add(new)
        for other in sorted(changed):
            if pairs[other] > 0:
                heapq.heappush(queue, (-pairs[other], other))


def merge(pieces: list[str], pair: tuple[str, str], merged: str) -> list[str]:
    """The pieces of a word with every occurrence of the pair merged."""
    result = []
    index = 0
    while index < len(pieces):
        if tuple(pieces[index : index + 2]) == pair:
            result.append(merged)
            index += 2
        else:
            result.append(pieces[index])
            index += 1
    return result
