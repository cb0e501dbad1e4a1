"""`transformers` on PyTorch: eager, autocast to BF16, compiled with frozen weights; training."""

import argparse
import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import BertForQuestionAnswering

from protocol import Features, Logits, Rectangle, serve

LEARNING_RATE = 1e-5
MAX_GRAD_NORM = 1.0
MICRO_BATCH = 4  # sequences of a forward and backward pass


class Inference:
    """BertForQuestionAnswering without gradients. `variant`: "eager" or "compiled"."""

    def __init__(
        self, args: argparse.Namespace, model: BertForQuestionAnswering, features: Features | None
    ) -> None:
        self.model = model.eval()
        self.bf16 = args.precision == "bf16"
        self.padded = args.form == "padded"
        self.batches = features.batches(args.form) if features else []
        self.features = features
        if args.variant == "compiled":
            torch._inductor.config.freezing = True
            self.model = torch.compile(model, dynamic=not self.padded)

    @torch.no_grad()
    def logits(self, batch: Rectangle) -> Logits:
        ids, mask, segments = map(torch.from_numpy, batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            out = self.model(
                input_ids=ids,
                token_type_ids=segments,
                attention_mask=mask if self.padded else None,
            )
        return out.start_logits.float().numpy(), out.end_logits.float().numpy()

    def check(self) -> list[float]:
        assert self.features is not None
        return self.features.checked(self.padded, self.logits)

    def run(self) -> int:
        return sum(len(self.logits(batch)[0]) for batch in self.batches)


class Training:
    """A step: forward and backward in micro-batches, clipping, AdamW. No dropout in any program."""

    def __init__(
        self, args: argparse.Namespace, model: BertForQuestionAnswering, features: Features
    ):
        self.model = model.train()
        self.bf16 = args.precision == "bf16"
        self.features = features
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, fused=True)
        self.pieces = [
            self.piece(numbers, features.max_seq_length if args.form == "padded" else None)
            for numbers in features.by_count(MICRO_BATCH)
        ]

    def piece(self, numbers: np.ndarray, length: int | None) -> list[Tensor]:
        """Padded to `length`, or to the longest of the piece."""
        arrays = self.features.rectangle(
            numbers, length or int(self.features.lengths[numbers].max())
        )
        answers = (self.features.start_positions[numbers], self.features.end_positions[numbers])
        return [torch.from_numpy(np.ascontiguousarray(array)) for array in (*arrays, *answers)]

    def check(self) -> list[float]:
        loss = self.add_gradients()
        norm = float(torch.nn.utils.get_total_norm([p.grad for p in self.model.parameters()]))
        self.optimizer.zero_grad()
        return [loss, norm]

    def run(self) -> int:
        self.add_gradients()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), MAX_GRAD_NORM)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return len(self.features.input_ids)

    def add_gradients(self) -> float:
        total = 0.0
        for ids, mask, segments, start, end in self.pieces:
            context = (
                torch.autocast("cpu", torch.bfloat16) if self.bf16 else contextlib.nullcontext()
            )
            with context:
                out = self.model(input_ids=ids, token_type_ids=segments, attention_mask=mask)
            of_start, of_end = (
                torch.nn.functional.cross_entropy(
                    logits.float().masked_fill(mask == 0, float("-inf")), position, reduction="sum"
                )
                for logits, position in ((out.start_logits, start), (out.end_logits, end))
            )
            loss = (of_start + of_end) / (2 * len(self.features.input_ids))
            loss.backward()
            total += loss.item()
        return total


def load(args: argparse.Namespace) -> Inference | Training:
    kind = Training if args.variant == "training" else Inference
    return kind(args, load_model(args), Features.read(args.input))


def load_eager(args: argparse.Namespace) -> Callable[[Rectangle], Logits]:
    """Logits of one rectangle without padding."""
    return Inference(args, load_model(args), None).logits


def load_model(args: argparse.Namespace) -> BertForQuestionAnswering:
    torch.set_num_threads(args.threads)
    dropout: dict[str, Any] = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return BertForQuestionAnswering.from_pretrained(
        args.model, attn_implementation="sdpa", dtype=torch.float32, **dropout
    )


if __name__ == "__main__":
    serve(load, "torch", "transformers")
