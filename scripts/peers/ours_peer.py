"""Our own sides, through the public library: an engine, or a step of training."""

import argparse

import numpy as np

from bertsquad import engines, torch_environment
from bertsquad.batching import PackedBatch, pack
from bertsquad.benchmark.peers.sides import SPARING, TRAINING
from protocol import Work, serve

LEARNING_RATE = 1e-5


class WorkFeatures:
    """The work as the library takes features."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.lengths = work.lengths
        self.max_seq_length = work.max_seq_length

    def __len__(self) -> int:
        return len(self.lengths)

    def packed(self, numbers: np.ndarray) -> PackedBatch:
        return pack(
            [self.work.input_ids[n] for n in numbers],
            [self.work.segments[n] for n in numbers],
            indices=numbers,
            start_positions=self.known(self.work.start_positions, numbers),
            end_positions=self.known(self.work.end_positions, numbers),
        )

    @staticmethod
    def known(positions: np.ndarray, numbers: np.ndarray) -> np.ndarray | None:
        return positions[numbers] if len(positions) else None


class Inference:
    """The engine `variant`: its own plan and stream at real lengths, rectangles where padded."""

    def __init__(self, args: argparse.Namespace, work: Work) -> None:
        self.engine = engines.load(
            args.variant,
            args.model,
            precision=args.precision,
            threads=args.threads,
            # One rectangle after the other, as one request after the other: all threads on each.
            goal="throughput" if args.form == "real" else "latency",
            quantized_dir=args.model / f"{args.variant}-int8" if args.precision == "int8" else None,
        )
        self.work = work
        self.form = args.form
        self.features = WorkFeatures(work)
        self.rectangles = work.batches("padded") if args.form == "padded" else []

    def check(self) -> list[float]:
        return self.work.checked(self.form == "padded", self.logits)

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
        answers = self.engine.stream(map(self.features.packed, plan))
        return sum(len(answered.batch) for answered in answers)


class Training:
    """A step as `training.train` takes it, on packed micro-batches, without dropout."""

    def __init__(self, args: argparse.Namespace, work: Work) -> None:
        import torch

        from bertsquad import model_folder
        from bertsquad.optimizer import adam_weight_decay
        from bertsquad.training import Hyperparameters

        torch.set_num_threads(args.threads)
        self.features = WorkFeatures(work)
        self.hyperparameters = Hyperparameters(
            args.precision, 1.0, len(self.features), LEARNING_RATE
        )
        dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        self.model = model_folder.load(args.model, dropout=dropout).train()
        self.model.precision = args.precision
        self.model.activation_checkpointing = args.variant == SPARING
        self.optimizer = adam_weight_decay(self.model.named_parameters(), weight_decay=0.01)
        self.batch = np.arange(len(self.features))

    def add_gradients(self) -> float:
        from bertsquad.training import add_gradients

        return add_gradients(self.model, self.features, self.batch, self.hyperparameters, 0)

    def check(self) -> list[float]:
        import torch

        loss = self.add_gradients()
        norm = float(torch.nn.utils.get_total_norm([p.grad for p in self.model.parameters()]))
        self.model.zero_grad()
        return [loss, norm]

    def run(self) -> int:
        from bertsquad.optimizer import clip_by_global_norm, update

        self.add_gradients()
        clip_by_global_norm([p.grad for p in self.model.parameters()], 1.0)
        update(self.optimizer, LEARNING_RATE)
        self.model.zero_grad()
        return len(self.features)


def load(args: argparse.Namespace) -> Inference | Training:
    kind = Training if args.variant in (TRAINING, SPARING) else Inference
    return kind(args, Work.read(args.work))


if __name__ == "__main__":
    torch_environment.keep_memory()  # as our commands do
    serve(load, "torch", "openvino", "onnxruntime")
