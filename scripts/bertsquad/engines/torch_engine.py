"""PyTorch on the CPU: the model that was trained, run as it was trained, without gradients."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bertsquad import model_folder
from bertsquad.batching import PackedBatch
from bertsquad.bert import BertForQuestionAnswering


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


def load(model_dir: str | Path, *, precision: str, threads: int) -> TorchEngine:
    """A model folder, its BF16 weights cast once. PyTorch's threads are the whole process's."""
    torch.set_num_threads(threads)
    model = model_folder.load(model_dir).to_inference(precision)
    return TorchEngine(model, precision, threads)


def as_arrays(logits: tuple[torch.Tensor, torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
    start, end = logits
    return start.numpy(), end.numpy()
