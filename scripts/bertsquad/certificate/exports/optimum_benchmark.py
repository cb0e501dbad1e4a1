"""benchmark_report.json as optimum-benchmark writes it, a folder for each cell of batches.

Targets are those of its inference scenario for a model that is run forward: `load_model`,
`first_forward` and `forward`, each with `memory`, `latency`, `throughput`, `energy`, `efficiency`
(optimum_benchmark/benchmark/report.py and trackers/, 0.6). Its percentiles are NumPy's, between
two samples, and its reader takes no further key: what does not count as a result has no report and
a line in left_out.txt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bertsquad.benchmark.modes import WITH_LATENCY
from bertsquad.certificate.exports.facts import Facts
from bertsquad.certificate.exports.words import (
    cell_name,
    left_out,
    model_name,
    refused,
    why_not_counted,
)

_MB_OF_MIB = 2**20 / 1e6


def export(facts: Facts) -> dict[str, str]:
    """`{cell}/benchmark_report.json` and `left_out.txt`."""
    found, others = {}, refused(facts.summary)
    for row, file in facts.cells():
        why = why_not_counted(row)
        if not why and row["mode"] not in WITH_LATENCY:
            why = f"mode {row['mode']}: optimum-benchmark has no such measurement"
        if why:
            others.append(f"{model_name(row)}: {cell_name(row)}, repeat {row['repeat']:.0f}: {why}")
            continue
        text = json.dumps(report(file.data), indent=4, allow_nan=False) + "\n"
        found[f"{file.name}/benchmark_report.json"] = text
    return found | {"left_out.txt": left_out(others, "optimum-benchmark's reports")}


def report(cell: Mapping[str, Any]) -> dict[str, Any]:
    """The report of a cell of batches."""
    samples = [ms / 1000 for ms in cell["latency_samples_ms"]]
    forward = _target(memory=_memory(cell), latency=_latency(samples))
    forward["throughput"] = {"unit": "samples/s", "value": cell["batch_size"] / np.mean(samples)}
    return {
        "load_model": _target(latency=_latency(_one(cell, "model_load_s"))),
        "first_forward": _target(latency=_latency(_one(cell, "first_inference_s"))),
        "forward": forward,
    }


def _target(**measured: Any) -> dict[str, Any]:
    names = ("memory", "latency", "throughput", "energy", "efficiency")
    return dict.fromkeys(names) | measured


def _one(cell: Mapping[str, Any], key: str) -> list[float]:
    value = cell.get(key)
    return [float(value)] if isinstance(value, int | float) else []


def _memory(cell: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of the whole process at its highest, in megabytes."""
    peak = _one(cell, "peak_memory_mib")
    if not peak:
        return None
    others = ("max_global_vram", "max_process_vram", "max_reserved", "max_allocated")
    return {"unit": "MB", "max_ram": peak[0] * _MB_OF_MIB, **dict.fromkeys(others)}


def _latency(seconds: Sequence[float]) -> dict[str, Any] | None:
    if not seconds:
        return None
    values = np.asarray(seconds, np.float64)
    spread = float(np.std(values)) if len(values) > 1 else 0.0
    return {
        "unit": "s",
        "values": values.tolist(),
        "count": len(values),
        "total": float(np.sum(values)),
        "mean": float(np.mean(values)),
        **{f"p{p}": float(np.percentile(values, p)) for p in (50, 90, 95, 99)},
        "stdev": spread,
        "stdev_": 100 * spread / float(np.mean(values)),  # in percent of the mean
    }
