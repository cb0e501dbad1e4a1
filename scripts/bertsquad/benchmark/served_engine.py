"""What an instance serves with: an engine's lanes over the features of a file."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from bertsquad import engines
from bertsquad.benchmark.lanes import Work
from bertsquad.data.features import Features

TIMED_REGION = (
    "one request: from its scheduled arrival, through waiting for a lane, feature arrays from the "
    "memory-mapped file -> packed NumPy arrays -> engine, to start and end logits as NumPy arrays"
)


def open_lanes(job: dict[str, Any]) -> tuple[list[Work], dict[str, Any]]:
    """A fleet.Fleet's opener. `job` holds engine, precision, model, quantized, features, streams
    and threads. Raises what engines.load does."""
    features = Features.open(job["features"])
    start = time.perf_counter()
    engines.library(job["engine"], job["precision"])
    facts: dict[str, Any] = {"library_import_s": time.perf_counter() - start}
    start = time.perf_counter()
    engine = engines.load(
        job["engine"],
        job["model"],
        precision=job["precision"],
        threads=job["threads"],
        streams=job["streams"],
        quantized_dir=job["quantized"],
    )
    facts |= {"model_load_s": time.perf_counter() - start, "kernels": engine.kernels}
    if "torch" in engines.about(job["engine"]).PACKAGES:
        from bertsquad.machine.versions import linked_libraries

        facts["linked"] = linked_libraries()
    return [_work(features, lane) for lane in engine.lanes(job["streams"])], facts


def _work(features: Features, lane: Any) -> Work:
    def compute(numbers: np.ndarray) -> object:
        return lane(features.packed(numbers))

    return compute
