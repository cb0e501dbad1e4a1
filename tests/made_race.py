"""What explore.py writes of a race, made up."""

from typing import Any

ROWS = [
    {
        **{"cell": "torch bf16 2x1x1", "score": {"value": 41.5, "low": 40.0, "high": 43.0}},
        **{"rounds": 3, "measured_s": 70.0, "why": "", "disturbed_by": ""},
    },
    {
        **{"cell": "torch fp32 1x1x2", "score": {"value": 20.0, "low": 19.0, "high": 21.0}},
        **{"rounds": 1, "measured_s": 10.0, "disturbed_by": ""},
        "why": "dropped after 10 s: at most 21/s, best at least 40",
    },
    {
        **{"cell": "openvino int8 1x1x2", "score": None, "rounds": 0, "measured_s": 0.0},
        **{"why": "the processor has no int8", "disturbed_by": ""},
    },
]
CONFIRMED = {
    **{"cell": "torch bf16 2x1x1", "status": "confirmed", "questions_per_second": 40.0},
    **{"requests_per_second": 50.0, "requests": 1012, "measured_ms": 118.0, "validity": "valid"},
    **{"predicted_ms": {"low": 100.0, "value": 115.0, "high": 128.0}, "twin": "fits"},
    "started_at": "2026-01-02T03:04:05+00:00",
}
HISTORY = [
    {
        "seconds": 10.0,
        "raced": ["torch bf16 2x1x1", "torch fp32 1x1x2", "torch bf16 1x1x2"],
        "kept": ["torch bf16 2x1x1", "torch bf16 1x1x2"],
    },
    {
        "seconds": 20.0,
        "raced": ["torch bf16 2x1x1", "torch bf16 1x1x2"],
        "kept": ["torch bf16 2x1x1"],
    },
]


def race_data(**changes: Any) -> dict[str, Any]:
    """The file of a race as a value, but for machine, run and cells as they were then."""
    return {
        **{"schema": 1, "run": "demo", "raced": ROWS, "percentile": 99, "slo_ms": 130.0},
        **{"slo_given": True, "budget_s": 600.0, "seconds": 10.0, "within": 0.03},
        **{"spent_s": 151.2, "ended": "one is left", "machine": {}, "described": {}, "cells": []},
        **{"history": HISTORY, "confirmed": CONFIRMED},
        "f1": {"torch bf16 2x1x1": 87.96, "torch fp32 1x1x2": 88.0, "openvino int8 1x1x2": None},
        **changes,
    }
