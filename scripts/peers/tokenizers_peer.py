"""HF `tokenizers` on question and context pairs, as the SQuAD examples of `transformers` do: ids,
and the answers' tokens from the offsets, into NumPy arrays."""

import argparse

import numpy as np
from tokenizers import BertWordPieceTokenizer, Encoding

import texts
from protocol import serve
from texts import Example

QUESTIONS = 20000
BATCH = 1000  # what `datasets.map(batched=True)` hands over


class ToFeatures:
    def __init__(self, args: argparse.Namespace) -> None:
        self.tokenizer = BertWordPieceTokenizer(
            str(args.model / "vocab.txt"), lowercase=texts.lowercase(args.model)
        )
        self.tokenizer.enable_truncation(
            texts.MAX_SEQ_LENGTH, stride=texts.DOC_STRIDE, strategy="only_second"
        )
        self.first = texts.first(args.input)
        self.examples = texts.read(args.input, QUESTIONS)

    def windows(self, examples: list[Example]) -> list[list[Encoding]]:
        pairs = [(example.question.strip(), example.context) for example in examples]
        encodings = self.tokenizer.encode_batch(pairs)
        return [[encoding, *encoding.overflowing] for encoding in encodings]

    def check(self) -> list[float]:
        return [float(id) for windows in self.windows(self.first) for id in windows[0].ids]

    def run(self) -> int:
        ids, segments, positions = [], [], []
        for at in range(0, len(self.examples), BATCH):
            examples = self.examples[at : at + BATCH]
            for example, windows in zip(examples, self.windows(examples), strict=True):
                text, begin = example.answer
                for window in windows:
                    ids.append(np.array(window.ids, np.int32))
                    segments.append(np.array(window.type_ids, np.int8))
                    positions.append(answer_tokens(window, begin, begin + len(text)))
        return len(ids)


def answer_tokens(window: Encoding, begin: int, end: int) -> tuple[int, int]:
    """First and last token of the context's characters begin:end; (0, 0) where not inside."""
    first = window.char_to_token(begin, 1)
    last = window.char_to_token(end - 1, 1)
    return (0, 0) if first is None or last is None else (first, last)


if __name__ == "__main__":
    serve(ToFeatures, "tokenizers")
