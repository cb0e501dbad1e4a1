"""Texts in, answers out as users of the peers write it: `tokenizers` on pairs, an engine, and the
best span of each question by NumPy."""

import argparse
import json

import numpy as np
from tokenizers import BertWordPieceTokenizer, Encoding

import texts
from protocol import CHECKED, Logits, Rectangle, serve

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
BEST, LONGEST = 20, 30  # start and end positions looked at; tokens of an answer


class Answers:
    """`variant`: "openvino" (a stream for each thread, one window a request) or "transformers"
    (eager, one window after the other); windows at real length, the longest first."""

    def __init__(self, args: argparse.Namespace) -> None:
        articles = json.loads(args.input.read_text(encoding="utf-8"))["data"]
        self.pairs = [
            (entry["question"].strip(), paragraph["context"])
            for article in articles
            for paragraph in article["paragraphs"]
            for entry in paragraph["qas"]
        ]
        self.tokenizer = BertWordPieceTokenizer(
            str(args.model / "vocab.txt"), lowercase=texts.lowercase(args.model)
        )
        self.tokenizer.enable_truncation(
            texts.MAX_SEQ_LENGTH, stride=texts.DOC_STRIDE, strategy="only_second"
        )
        if args.variant == "openvino":
            from openvino_peer import outputs, streams

            self.queue = streams(args)
            self.outputs = outputs
            self.logits = self.by_streams
        else:
            from transformers_peer import load_eager

            self.one = load_eager(args)
            self.logits = self.one_by_one

    def by_streams(self, batches: list[Rectangle]) -> list[Logits]:
        found: dict[int, Logits] = {}
        self.queue.set_callback(
            lambda request, number: found.__setitem__(number, self.outputs(request))
        )
        for number, batch in enumerate(batches):
            self.queue.start_async(dict(zip(INPUTS, batch, strict=True)), number)
        self.queue.wait_all()
        return [found[number] for number in range(len(batches))]

    def one_by_one(self, batches: list[Rectangle]) -> list[Logits]:
        return [self.one(batch) for batch in batches]

    def check(self) -> list[float]:
        windows = [
            window
            for encoding in self.tokenizer.encode_batch(self.pairs[:CHECKED])
            for window in (encoding, *encoding.overflowing)
        ][:CHECKED]
        logits = self.logits([as_rectangle(window) for window in windows])
        return [float(x) for pair in logits for part in pair for x in part[0]]

    def run(self) -> int:
        encodings = self.tokenizer.encode_batch(self.pairs)
        windows = [
            (question, window)
            for question, encoding in enumerate(encodings)
            for window in (encoding, *encoding.overflowing)
        ]
        windows.sort(key=lambda pair: -len(pair[1].ids))
        logits = self.logits([as_rectangle(window) for _, window in windows])
        best: dict[int, tuple[float, str]] = {}
        for (question, window), (start, end) in zip(windows, logits, strict=True):
            context = self.pairs[question][1]
            candidate = best_answer(window, start[0], end[0], context)
            best[question] = max(best.get(question, candidate), candidate)
        if len(best) != len(self.pairs):
            raise RuntimeError(f"{len(best)} of {len(self.pairs)} questions have an answer")
        return len(windows)


def as_rectangle(window: Encoding) -> Rectangle:
    arrays = (window.ids, window.attention_mask, window.type_ids)
    return tuple(np.array([values], np.int64) for values in arrays)


def best_answer(
    window: Encoding, start: np.ndarray, end: np.ndarray, context: str
) -> tuple[float, str]:
    """Score and text of the best span of context tokens."""
    inside = np.array([number == 1 for number in window.sequence_ids])
    start, end = np.where(inside, start, -np.inf), np.where(inside, end, -np.inf)
    firsts, lasts = np.argsort(-start)[:BEST], np.argsort(-end)[:BEST]
    lengths = lasts[None, :] - firsts[:, None] + 1
    scores = start[firsts][:, None] + end[lasts][None, :]
    scores = np.where((lengths > 0) & (lengths <= LONGEST), scores, -np.inf)
    row, column = np.unravel_index(scores.argmax(), scores.shape)
    begin = window.offsets[firsts[row]][0]
    return float(scores[row, column]), context[begin : window.offsets[lasts[column]][1]]


if __name__ == "__main__":
    serve(Answers, "tokenizers", "openvino", "transformers", "torch")
