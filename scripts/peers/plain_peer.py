"""Tokenising and windows in plain Python, as the guide's run_squad.py does: every question by
itself, one character after the other."""

import argparse
import functools

import texts
from plain_run_squad import Feature, features_of, tokenize
from protocol import serve
from texts import Example

QUESTIONS = 1000


class ToFeatures:
    def __init__(self, args: argparse.Namespace) -> None:
        tokens = (args.model / "vocab.txt").read_text(encoding="utf-8").split("\n")
        self.vocabulary = {token: number for number, token in enumerate(tokens) if token}
        self.tokenize = functools.partial(
            tokenize, vocabulary=self.vocabulary, lowercase=texts.lowercase(args.model)
        )
        self.first = texts.first(args.input)
        self.examples = texts.read(args.input, QUESTIONS)

    def features(self, example: Example) -> list[Feature]:
        made = features_of(
            example.context,
            example.question,
            example.answer,
            tokenize=self.tokenize,
            vocabulary=self.vocabulary,
            max_seq_length=texts.MAX_SEQ_LENGTH,
            doc_stride=texts.DOC_STRIDE,
            max_query_length=texts.MAX_QUERY_LENGTH,
        )
        return made or []

    def check(self) -> list[float]:
        made = [feature for example in self.first for feature in self.features(example)[:1]]
        return [float(id) for f in made for id in f.input_ids[: sum(f.input_mask)]]

    def run(self) -> int:
        return sum(len(self.features(example)) for example in self.examples)


if __name__ == "__main__":
    serve(ToFeatures)
