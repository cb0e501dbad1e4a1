"""ONNX Runtime on the CPU: FP32, or INT8 as scripts/quantize.py made it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort

from bertsquad.engines import Goal
from bertsquad.engines.onnxruntime.graph import INPUTS, OUTPUTS, build
from bertsquad.engines.rectangles import Logits, RectangleEngine
from bertsquad.engines.weights import read_weights

_ERRORS_ONLY = 3  # of its log; warnings name kernels that a graph has a choice of


@dataclass(frozen=True, slots=True)
class OnnxruntimeEngine(RectangleEngine):
    """One session, which several Python threads may use at once."""

    session: ort.InferenceSession
    pool: ThreadPoolExecutor
    at_once: int
    precision: str
    threads: int
    name: str = "onnxruntime"
    kernels: str = "onnxruntime"

    def run_padded(
        self, input_ids: np.ndarray, input_mask: np.ndarray, segment_ids: np.ndarray
    ) -> Logits:
        """Start and end logits, float32[B, S] each, from int64[B, S] each."""
        given = dict(zip(INPUTS, (input_ids, input_mask, segment_ids), strict=True))
        start, end = self.session.run(OUTPUTS, given)
        return start, end

    def start(self, input_ids: np.ndarray, segment_ids: np.ndarray) -> Callable[[], Logits]:
        """Begin one inference; what is returned waits for its logits."""
        mask = np.ones_like(input_ids)
        return self.pool.submit(self.run_padded, input_ids, mask, segment_ids).result

    def close(self) -> None:
        """End the threads."""
        self.pool.shutdown()


def load(
    model_dir: str | Path,
    *,
    precision: str,
    threads: int,
    goal: Goal = "latency",
    streams: int | None = None,
    quantized_dir: Path | None = None,
) -> OnnxruntimeEngine:
    """A model folder, or for "int8" the model.onnx of `quantized_dir`, in a session. Tensors are
    mapped, not read: once packed for the processor they take no memory a second time."""
    callers = threads if goal == "throughput" else 1
    if streams is None:
        options = _session_options(threads // callers)
    else:  # a caller computes, too, and the session's other threads help all callers
        options = _session_options(streams * (threads - 1) + 1)
    if quantized_dir is not None:
        model: str | bytes = str(quantized_dir / "model.onnx")
    else:
        model = build(read_weights(model_dir)).SerializeToString()
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(Path(model_dir).resolve())
        )
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    # Two rectangles a thread: while one is put together or read out, the other one is computed.
    at_once = 2 * callers if goal == "throughput" else 1
    return OnnxruntimeEngine(session, ThreadPoolExecutor(callers), at_once, precision, threads)


def _session_options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Threads that spin take the cores from other programs on this machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
