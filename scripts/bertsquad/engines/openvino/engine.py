"""OpenVINO on the CPU: FP32, BF16, or INT8 as scripts/quantize.py made it.

A model is compiled anew whenever it is loaded. OpenVINO's cache of compiled models would not spare
that: what it keeps for a CPU is the graph with a copy of the weights, which it compiles again.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import openvino as ov

from bertsquad.engines import Goal, native
from bertsquad.engines.mapped import map_file, released
from bertsquad.engines.openvino.graph import INPUTS, build
from bertsquad.engines.rectangles import Lane, Logits, RectangleEngine, lane
from bertsquad.engines.weights import read_weights


@dataclass(frozen=True, slots=True)
class OpenvinoEngine(RectangleEngine):
    """A compiled model and its requests, of which each is one inference under way."""

    compiled: ov.CompiledModel
    mapped: mmap.mmap  # which `compiled` may read, and does not keep alive
    idle: list[ov.InferRequest]
    at_once: int
    precision: str
    threads: int
    name: str = "openvino"
    kernels: str = "openvino"

    def run_padded(
        self, input_ids: np.ndarray, input_mask: np.ndarray, segment_ids: np.ndarray
    ) -> Logits:
        """Start and end logits, float32[B, S] each, from int64[B, S] each."""
        return infer(self.idle[0], input_ids, input_mask, segment_ids)

    def lanes(self, count: int) -> list[Lane]:
        """A request for each: one request computes one rectangle at a time."""
        requests = [self.compiled.create_infer_request() for _ in range(count)]
        return [lane(partial(infer, request)) for request in requests]

    def start(self, input_ids: np.ndarray, segment_ids: np.ndarray) -> Callable[[], Logits]:
        """Begin one inference; what is returned waits for its logits."""
        request = self.idle[-1]
        mask = np.ones_like(input_ids)
        request.start_async(dict(zip(INPUTS, (input_ids, mask, segment_ids), strict=True)))
        self.idle.pop()  # only now: where the inputs are refused, it stays idle

        def wait() -> Logits:
            try:
                request.wait()
                return logits_of(request)
            finally:
                self.idle.append(request)

        return wait

    def close(self) -> None:
        """Requests end with the engine; none is under way outside `stream`."""


def load(
    model_dir: str | Path,
    *,
    precision: str,
    threads: int,
    goal: Goal = "latency",
    streams: int | None = None,
    quantized_dir: Path | None = None,
) -> OpenvinoEngine:
    """A model folder, or for "int8" the model.xml of `quantized_dir`, compiled."""
    if streams is None:
        chosen = settings(precision, threads, threads if goal == "throughput" else 1)
    else:
        chosen = settings(precision, threads * streams, streams)
    if quantized_dir is not None:
        graph, mapped = read_quantized(quantized_dir)
    else:
        weights = read_weights(model_dir)
        graph, mapped = build(weights), weights.mapped
    with released(mapped):
        compiled = compile_model(graph, chosen)
    # Two requests a stream: while one is put together or read out, the other one is computed.
    at_once = 1 if goal == "latency" else 2 * threads
    idle = [compiled.create_infer_request() for _ in range(at_once)]
    return OpenvinoEngine(compiled, mapped, idle, at_once, precision, threads)


def infer(
    request: ov.InferRequest, input_ids: np.ndarray, input_mask: np.ndarray, segment_ids: np.ndarray
) -> Logits:
    """Start and end logits, float32[B, S] each, from int64[B, S] each."""
    request.infer(dict(zip(INPUTS, (input_ids, input_mask, segment_ids), strict=True)))
    return logits_of(request)


def read_quantized(quantized_dir: Path) -> tuple[ov.Model, mmap.mmap]:
    """The graph of model.xml, its weights mapped here: OpenVINO would not give pages back."""
    graph = (quantized_dir / "model.xml").read_text(encoding="utf-8")
    mapped = map_file(quantized_dir / "model.bin")
    weights = ov.Tensor(np.frombuffer(mapped, np.uint8), shared_memory=True)
    return core().read_model(graph, weights), mapped


@cache
def core() -> ov.Core:
    """One for the process, kept to its end. Each core's plugin gives this thread an alternate stack
    for signals and puts the one before it back when it goes: of two that go in the order of their
    making, the second puts back freed memory, and the next signal (Ctrl-C) ends the process."""
    return ov.Core()


def compile_model(model: ov.Model, chosen: dict[str, str | int | bool]) -> ov.CompiledModel:
    """The model, compiled and used once: only then are all weights packed for the processor."""
    compiled = core().compile_model(model, "CPU", chosen)
    token = np.zeros((1, 1), np.int64)
    compiled.create_infer_request().infer(dict.fromkeys(INPUTS, token))
    return compiled


def settings(precision: str, threads: int, streams: int) -> dict[str, str | int | bool]:
    """What OpenVINO is told, so that it guesses nothing; `threads` are those of all streams.

    For throughput it gets one stream a thread: nothing waits for a barrier (9 % faster on two cores
    than one stream with both threads, BERT-Large at real lengths).
    """
    computed_in = "bf16" if precision != "fp32" and native("bf16") else "f32"
    return {
        "INFERENCE_PRECISION_HINT": computed_in,
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
        # Cores are chosen by bertsquad.machine.threads, for the whole process; two processes that
        # pin their own threads may share a core while others are idle.
        "ENABLE_CPU_PINNING": False,
        "ENABLE_HYPER_THREADING": True,
    }


def logits_of(request: ov.InferRequest) -> Logits:
    """A request's start and end logits, copied: the next inference writes over them."""
    start, end = (request.get_output_tensor(side).data.copy() for side in range(2))
    return start, end
