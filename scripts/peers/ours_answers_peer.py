"""Our own texts in, answers out: features ahead of the engine, answers behind it."""

import argparse

import numpy as np

import texts
from bertsquad import engines
from bertsquad.answers.decoding import MAX_ANSWER_LENGTH, N_BEST_SIZE
from bertsquad.answers.pipeline import Limits, Windows, answer
from bertsquad.data import squad
from bertsquad.data.featurization import featurize
from bertsquad.data.tokenization import Vocabulary
from bertsquad.machine import torch_environment
from protocol import CHECKED, serve


class Answers:
    """The engine `variant` for throughput, in the pipeline of scripts/predict.py."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.engine = engines.load(
            args.variant,
            args.model,
            precision=args.precision,
            threads=args.threads,
            goal="throughput",
            quantized_dir=args.model / f"{args.variant}-int8" if args.precision == "int8" else None,
        )
        self.dataset = squad.load(args.input)
        self.vocabulary = Vocabulary(args.model / "vocab.txt")
        self.windows = Windows(texts.MAX_SEQ_LENGTH, texts.DOC_STRIDE, texts.MAX_QUERY_LENGTH)

    def check(self) -> list[float]:
        features = featurize(
            self.dataset,
            self.vocabulary,
            max_seq_length=self.windows.max_seq_length,
            doc_stride=self.windows.doc_stride,
            max_query_length=self.windows.max_query_length,
            training=False,
        )
        logits = [self.engine.run(features.packed(np.array([n]))) for n in range(CHECKED)]
        together = np.concatenate([part for pair in logits for part in pair])
        numbers: list[float] = together.astype(float).tolist()
        return numbers

    def run(self) -> int:
        limits = Limits(N_BEST_SIZE, MAX_ANSWER_LENGTH)
        done = answer(
            self.engine, self.dataset, self.vocabulary, windows=self.windows, limits=limits
        )
        return done.features


if __name__ == "__main__":
    torch_environment.keep_memory()  # as our commands do
    serve(Answers, "torch", "openvino", "onnxruntime", "tokenizers")
