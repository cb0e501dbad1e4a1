"""Our own programs, through the public library: an engine, or a step of training."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, cast

import numpy as np

from bertsquad import engines
from bertsquad.benchmark.passes import run_through
from bertsquad.data.batching import PackedBatch, pack
from bertsquad.machine import torch_environment
from bertsquad.peers.contenders import SPARING, TRAINING
from protocol import Features, serve

if TYPE_CHECKING:
    from torch import Tensor

    from bertsquad.data import features as library

LEARNING_RATE = 1e-5


class LibraryFeatures:
    """The given features as the library takes them."""

    def __init__(self, given: Features) -> None:
        self.given = given
        self.lengths = given.lengths
        self.max_seq_length = given.max_seq_length

    def __len__(self) -> int:
        return len(self.lengths)

    def packed(self, numbers: np.ndarray) -> PackedBatch:
        return pack(
            [self.given.input_ids[n] for n in numbers],
            [self.given.segments[n] for n in numbers],
            indices=numbers,
            start_positions=self.known(self.given.start_positions, numbers),
            end_positions=self.known(self.given.end_positions, numbers),
        )

    @staticmethod
    def known(positions: np.ndarray, numbers: np.ndarray) -> np.ndarray | None:
        return positions[numbers] if len(positions) else None


class Inference:
    """The engine `variant`: its own plan and stream at real lengths, rectangles where padded."""

    def __init__(self, args: argparse.Namespace, given: Features) -> None:
        self.engine = engines.load(
            args.variant,
            args.model,
            precision=args.precision,
            threads=args.threads,
            # One rectangle after the other, as one request after the other: all threads on each.
            goal="throughput" if args.form == "real" else "latency",
            quantized_dir=args.model / f"{args.variant}-int8" if args.precision == "int8" else None,
        )
        self.facts = {"kernels": self.engine.kernels}  # for the record
        self.given = given
        self.form = args.form
        self.features = LibraryFeatures(given)
        self.rectangles = given.batches("padded") if args.form == "padded" else []

    def check(self) -> list[float]:
        return self.given.checked(self.form == "padded", self.logits)

    def logits(self, batch: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        if self.form == "padded":
            return self.engine.run_padded(*batch)
        ids, _, segments = batch
        start, end = self.engine.run(pack(list(ids), list(segments)))
        return start.reshape(ids.shape), end.reshape(ids.shape)

    def run(self) -> int:
        if self.form == "padded":
            return sum(len(self.engine.run_padded(*batch)[0]) for batch in self.rectangles)
        if self.form == "single":
            for number in range(len(self.features)):
                self.engine.run(self.features.packed(np.array([number])))
            return len(self.features)
        plan = self.engine.plan(self.features.lengths)
        run_through(self.engine, map(self.features.packed, plan))
        return len(self.features)


class Training:
    """A step as `training.train` takes it, on packed micro-batches, without dropout."""

    def __init__(self, args: argparse.Namespace, given: Features) -> None:
        import torch

        from bertsquad.model import folder as model_folder
        from bertsquad.training.hyperparameters import Hyperparameters
        from bertsquad.training.optimizer import adam_weight_decay

        torch.set_num_threads(args.threads)
        self.features = LibraryFeatures(given)
        self.hyperparameters = Hyperparameters(
            args.precision, 1.0, len(self.features), LEARNING_RATE
        )
        dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        self.model = model_folder.load(args.model, dropout=dropout).train()
        self.model.precision = args.precision
        self.model.activation_checkpointing = args.variant == SPARING
        self.facts = {"kernels": self.model.training_kernels}  # for the record
        self.optimizer = adam_weight_decay(self.model.named_parameters(), weight_decay=0.01)
        self.batch = np.arange(len(self.features))

    def add_gradients(self) -> float:
        from bertsquad.training.loop import add_gradients

        # A step asks for lengths and packed batches alone.
        features = cast("library.Features", self.features)
        return add_gradients(self.model, features, self.batch, self.hyperparameters, 0)

    def gradients(self) -> list[Tensor]:
        return [p.grad for p in self.model.parameters() if p.grad is not None]

    def check(self) -> list[float]:
        import torch

        loss = self.add_gradients()
        norm = float(torch.nn.utils.get_total_norm(self.gradients()))
        self.model.zero_grad()
        return [loss, norm]

    def run(self) -> int:
        from bertsquad.training.optimizer import clip_by_global_norm, update

        self.add_gradients()
        clip_by_global_norm(self.gradients(), 1.0)
        update(self.optimizer, LEARNING_RATE)
        self.model.zero_grad()
        return len(self.features)


def load(args: argparse.Namespace) -> Inference | Training:
    kind = Training if args.variant in (TRAINING, SPARING) else Inference
    return kind(args, Features.read(args.input))


if __name__ == "__main__":
    torch_environment.keep_memory()  # as our commands do
    serve(load, "torch", "openvino", "onnxruntime")
