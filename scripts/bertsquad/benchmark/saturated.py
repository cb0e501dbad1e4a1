"""Mode `saturated`: every lane of a layout always busy: its capacity, and services by length."""

from dataclasses import asdict
from typing import Any

from bertsquad.benchmark.samples import Samples
from bertsquad.benchmark.served_engine import TIMED_REGION
from bertsquad.benchmark.services import raw
from bertsquad.benchmark.serving import CLOCK, Serving


def measured(serving: Serving) -> tuple[dict[str, Any], Samples]:
    """The cell, but for what is true of every cell under load, and the raw samples."""
    run, capacity, services = serving.saturate(serving.settings.seconds)
    samples = run.samples
    service = services.describe() | raw(*run.services())
    service |= {"mean_ms": float(samples.service_ms.mean()), "inflation": None}
    return {
        "capacity": asdict(capacity),
        "service": service,
        "requests": len(samples),
        "features": len(samples),
        "tokens": int(samples.tokens.sum()),
        "features_per_second": capacity.features_per_second,
        "useful_tokens_per_second": float(samples.tokens.mean()) * capacity.features_per_second,
        "timed_region": TIMED_REGION,
        "clock": CLOCK,
        "noise": run.noise,
        "activity": run.activity,
    } | run.describe_steady(), samples
