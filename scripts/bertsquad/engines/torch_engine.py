"""PyTorch on the CPU: the model that was trained, run as it was trained, without gradients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bertsquad import model_folder
from bertsquad.batching import PackedBatch, by_length, by_tokens
from bertsquad.bert import BertForQuestionAnswering
from bertsquad.engines import Answered, Goal

# Throughput is flat from 1,000 to 4,000 tokens a batch on two Zen 4 cores; larger ones lose to
# fresh memory pages, smaller ones to call overhead.
TOKEN_BUDGET = 2048


@dataclass(frozen=True, slots=True)
class TorchEngine:
    """Logits by `bert.py`: FP32, or BF16 products with everything else in FP32."""

    model: BertForQuestionAnswering
    precision: str
    threads: int
    name: str = "torch"

    @torch.inference_mode()
    def run(self, batch: PackedBatch) -> tuple[np.ndarray, np.ndarray]:
        """Start and end logits, float32[T] each."""
        return as_arrays(self.model(batch))

    @torch.inference_mode()
    def run_padded(
        self, input_ids: np.ndarray, input_mask: np.ndarray, segment_ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Start and end logits, float32[B, S] each, from int64[B, S] each."""
        tensors = map(torch.from_numpy, (input_ids, input_mask, segment_ids))
        return as_arrays(self.model.forward_padded(*tensors))

    def plan(self, lengths: np.ndarray) -> list[np.ndarray]:
        """Batches of similar length and at most TOKEN_BUDGET tokens."""
        return by_tokens(by_length(lengths), lengths, TOKEN_BUDGET)

    def stream(self, batches: Iterable[PackedBatch]) -> Iterator[Answered]:
        """One batch after the other."""
        for batch in batches:
            yield Answered(batch, *self.run(batch))

    def close(self) -> None:
        """Nothing was started."""


def load(
    model_dir: str | Path, *, precision: str, threads: int, goal: Goal = "latency"
) -> TorchEngine:
    """A model folder, its BF16 weights cast once. PyTorch's threads are the whole process's."""
    torch.set_num_threads(threads)
    model = model_folder.load(model_dir).to_inference(precision)
    return TorchEngine(model, precision, threads)


def as_arrays(logits: tuple[torch.Tensor, torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
    start, end = logits
    return start.numpy(), end.numpy()
