"""Mode `server`: requests come when users send them, a lane free or not (MLPerf: Server).

Latency counts from the scheduled arrival, so that nothing is omitted. Capacity and services are
measured just before, by the same processes, and every run is compared with its twin.
"""

from dataclasses import asdict
from typing import Any

from bertsquad.benchmark import batch_means, early_stopping, twin_check
from bertsquad.benchmark.loads import read_load
from bertsquad.benchmark.samples import Samples
from bertsquad.benchmark.search import search
from bertsquad.benchmark.served_engine import TIMED_REGION
from bertsquad.benchmark.services import Services, raw
from bertsquad.benchmark.serving import CLOCK, Capacity, Run, Serving
from bertsquad.benchmark.steady import slowest_phase
from bertsquad.benchmark.validity import validity


def measured(serving: Serving) -> tuple[dict[str, Any], Samples]:
    """The cell, but for what is true of every cell under load, and the raw samples."""
    settings = serving.settings
    saturated, capacity, services = serving.saturate(settings.capacity_seconds)
    load = read_load(settings.load)
    found: dict[str, Any] = {}
    if load.kind == "slo":
        run, rate, found = search(serving, saturated, services, load.value)
    else:
        share = load.kind == "share"
        rate = load.value * capacity.features_per_second if share else load.value
        run = serving.serve(rate, settings.workload_seed)
    found |= describe(serving, run, rate, capacity, services)
    found["service"] |= raw(*saturated.services())
    found |= saturated.describe_steady()
    found["capacity"] |= {"validity": validity(saturated.noise)["verdict"]}
    return found, run.samples


def describe(
    serving: Serving, run: Run, rate: float, capacity: Capacity, services: Services
) -> dict[str, Any]:
    """What a run at a rate was like."""
    samples = run.samples
    latencies = samples.latency_ms.tolist()
    twin = twin_check.compare(samples, run.schedule, services, serving.layout.lanes)
    inflation = twin.pop("inflation")
    beside = samples.service_ms / services.expected(samples.batch_tokens)
    noise = run.noise | {"slowest_phase": slowest_phase(beside)}
    if twin["verdict"] == "refuted":
        noise = noise | {"twin_kappa": abs(twin["kappa"])}
    seconds = (samples.end_ns.max() - samples.due_ns.min()) / 1e9
    share = rate / capacity.features_per_second
    return {
        "capacity": asdict(capacity),
        "service": services.describe()
        | {"mean_ms": float(samples.service_ms.mean()), "inflation": inflation},
        "requests": len(samples),
        "features": len(samples),
        "tokens": int(samples.tokens.sum()),
        "arrivals": {**serving.settings.arrivals, "rate": rate, "share": share, "seed": run.seed},
        "features_per_second": len(samples) / seconds,
        "useful_tokens_per_second": samples.tokens.sum() / seconds,
        "latency_ms": batch_means.summarize(latencies),
        "wait_ms": batch_means.summarize(samples.wait_ms.tolist()),
        "mlperf_estimate_ms": {
            "p99": early_stopping.estimate(latencies, 99),
            "note": early_stopping.LABEL,
        },
        "twin": twin,
        "timed_region": TIMED_REGION,
        "clock": CLOCK,
        "noise": noise,
        "activity": run.activity,
    }
