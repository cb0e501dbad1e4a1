"""Made-up cells of a benchmark, for the tests of tables and figures."""

from typing import Any

from bertsquad.benchmark.validity import validity


def cell(
    engine: str,
    precision: str,
    scenario: str,
    batch: int,
    features_per_second: float,
    *,
    threads: int = 2,
    repeat: int = 1,
    native: bool = True,
    max_seq_length: int = 384,
    batches: int = 400,
    waited: float = 0.0,
) -> dict[str, Any]:
    """One benchmark cell. A batch takes batch / throughput; p90, p95, p99 are 5, 8, 20 % slower."""
    padding = "max_length" if scenario.startswith("padded") else "none"
    p50 = 1000 * batch / features_per_second
    features = batches * batch
    tokens = 180 * features
    return {
        "engine": engine,
        "precision": precision,
        "native": native,
        "scenario": scenario,
        "mode": "batches",
        "padding": padding,
        "batch_size": batch,
        "threads": threads,
        "repeat": repeat,
        "warmup_iterations": 5,
        "iterations": batches,
        "latency_samples_ms": [p50] * batches,
        "features": features,
        "tokens": tokens,
        "computed_tokens": max_seq_length * features if padding == "max_length" else tokens,
        "latency_ms": latencies(p50, batches),
        "features_per_second": features_per_second,
        "useful_tokens_per_second": 180 * features_per_second,
        "peak_memory_mib": 812.5,
        "model_load_s": 0.42,
        "first_inference_s": 0.031,
        "max_seq_length": max_seq_length,
        "versions": {"torch": "2.13.0+cpu"},
        "cpu": "Example Processor 9000",
        "started_at": "2026-01-02T03:04:05+00:00",
        "validity": validity({"waited_share": waited}),
    }


def latencies(p50: float, batches: int) -> dict[str, Any]:
    """`latency_ms` of a cell, its percentiles 2 % either way; none that takes more batches."""
    needs = {"p50": (6, 1.0), "p90": (36, 1.05), "p95": (72, 1.08), "p99": (368, 1.2)}
    found: dict[str, Any] = {"mean": 1.01 * p50, "min": 0.98 * p50, "max": 1.3 * p50, "n": batches}
    for name, (least, factor) in needs.items():
        value = factor * p50 if batches >= least else None
        high = None if value is None else 1.02 * value
        found[name] = {"value": value, "low": 0.98 * factor * p50, "high": high}
    return found


def whole_set_cell(
    engine: str, precision: str, mode: str, features_per_second: float, **changes: Any
) -> dict[str, Any]:
    """A cell of a mode in which the engine cuts the batches: 3 passes over 1,000 features."""
    data = cell(engine, precision, mode.replace("_", "-"), 1, features_per_second)
    for name in ("latency_samples_ms", "latency_ms"):
        del data[name]
    data |= {
        "mode": mode,
        "batch_size": None,
        "iterations": 3,
        "features": 3000,
        "tokens": 540_000,
        "computed_tokens": 540_000,
        "batches": 264,
        "pass_samples_s": [1000 / features_per_second] * 3,
    }
    if mode == "end_to_end":
        data |= {
            "questions": 2940,
            "questions_per_second": 0.98 * features_per_second,
            "tokenise_s": 0.15,
            "decode_s": 0.2,
            "model_samples_s": [990 / features_per_second] * 3,
            "model_s": 990 / features_per_second,
            "overhead_share": 1000 / 990 - 1,
        }
    return data | changes


def refused_cell(
    engine: str, precision: str, scenario: str, mode: str, batch_size: int | None
) -> dict[str, Any]:
    """A cell that was not run: who it is, and why not."""
    return {
        "engine": engine,
        "precision": precision,
        "native": False,
        "scenario": scenario,
        "mode": mode,
        "padding": "none",
        "batch_size": batch_size,
        "threads": 2,
        "threads_requested": "2",
        "repeat": 1,
        "cpu": "Example Processor 9000",
        "started_at": "2026-01-02T03:04:05+00:00",
        "refused": f"this processor emulates {precision}",
    }
