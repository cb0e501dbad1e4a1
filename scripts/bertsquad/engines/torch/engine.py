"""PyTorch on the CPU: packed batches through `packed_bert`, several at a time for throughput."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import torch

from bertsquad.data.batching import PackedBatch, by_length, by_tokens
from bertsquad.engines import Answered, Goal
from bertsquad.engines.torch import packed_bert
from bertsquad.engines.torch.packed_bert import PackedBert

# Throughput is flat from 1,000 to 4,000 tokens a batch; smaller ones lose to call overhead. Every
# worker holds the activations of a batch: with 2,048 tokens two of them made BERT-Large take 1.31
# times the memory of its weights.
TOKEN_BUDGET = 1024

# More workers than this and Python's lock, which each holds for 1 or 2 ms of a batch, would be
# waited for; a worker has several threads instead.
MOST_WORKERS = 16


Lane = Callable[[PackedBatch], tuple[np.ndarray, np.ndarray]]


class TorchEngine:
    """Logits by `packed_bert`: FP32, or BF16 products with everything else in FP32."""

    name = "torch"

    def __init__(self, model: PackedBert, precision: str, threads: int, goal: Goal) -> None:
        self.model = model
        self.precision = precision
        self.threads = threads
        self.kernels = model.kernels
        self.workers, threads_each = teams_of(threads) if goal == "throughput" else (1, threads)
        self.pool = ThreadPoolExecutor(
            self.workers, "torch", torch.set_num_threads, (threads_each,)
        )
        torch.set_num_threads(threads)
        self.callers = threading.local()  # which threads were told how many may help them

    def run(self, batch: PackedBatch) -> tuple[np.ndarray, np.ndarray]:
        """Start and end logits, float32[T] each."""
        return as_arrays(self.model.packed(batch))

    def run_padded(
        self, input_ids: np.ndarray, input_mask: np.ndarray, segment_ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Start and end logits, float32[B, S] each, from int64[B, S] each."""
        return as_arrays(
            self.model.padded(*map(torch.from_numpy, (input_ids, input_mask, segment_ids)))
        )

    def plan(self, lengths: np.ndarray) -> list[np.ndarray]:
        """Batches of similar length and at most TOKEN_BUDGET tokens."""
        return by_tokens(by_length(lengths), lengths, TOKEN_BUDGET)

    def stream(self, batches: Iterable[PackedBatch]) -> Iterator[Answered]:
        """Each batch as soon as one of the workers has done it, and one more batch than there are
        workers under way."""
        under_way: set[Future[Answered]] = set()
        try:
            for batch in batches:
                under_way.add(self.pool.submit(self.answer, batch))
                if len(under_way) > self.workers:
                    done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while under_way:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            for future in under_way:
                future.cancel()

    def lanes(self, count: int) -> list[Lane]:
        """Calls that share the weights; each thread that calls has threads of its own."""
        return [self.run_in_thread] * count

    def run_in_thread(self, batch: PackedBatch) -> tuple[np.ndarray, np.ndarray]:
        """`run` in any thread: how many threads help it is set for each of them (OpenMP)."""
        if not hasattr(self.callers, "set"):
            torch.set_num_threads(self.threads)
            self.callers.set = True
        return self.run(batch)

    def answer(self, batch: PackedBatch) -> Answered:
        return Answered(batch, *self.run(batch))

    def close(self) -> None:
        """End the workers, once what they are at is done."""
        self.pool.shutdown(cancel_futures=True)


def load(
    model_dir: str | Path,
    *,
    precision: str,
    threads: int,
    goal: Goal = "latency",
    streams: int | None = None,
) -> TorchEngine:
    """A model folder, packed once. PyTorch's threads are the whole process's; of `streams` each
    lane's caller has `threads` of its own."""
    return TorchEngine(packed_bert.load(model_dir, precision), precision, threads, goal)


def teams_of(threads: int) -> tuple[int, int]:
    """How many batches to compute at once, and by how many threads each: one, since threads that
    work on one batch wait for each other after every product, until there are MOST_WORKERS."""
    threads_each = -(-threads // MOST_WORKERS)
    return threads // threads_each, threads_each


def as_arrays(logits: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    start, end = logits.unbind(-1)
    return start.numpy(), end.numpy()
