"""Works of the benchmark as scripts/benchmark_peers.py writes them, with given rates."""

from typing import Any


def contender(**facts: Any) -> dict[str, Any]:
    """A contender's entry; real lengths in FP32 unless told otherwise."""
    return {
        "title": "OpenVINO",
        "program": "openvino",
        "variant": "graph",
        "precision": "fp32",
        "form": "real",
        "how": "one sequence a request",
        "layers": 4,
        "ours": False,
        "native": True,
        "peak_memory_mib": 1000.0,
        "versions": {"openvino": "2026.4.1"},
        **facts,
    }


def work(
    contenders: dict[str, dict[str, Any]],
    rates: dict[str, list[float]],
    *,
    ceilings: list[float] | None = None,
    name: str = "inference-fp32",
) -> dict[str, Any]:
    """`rates`: features per second of the rounds; `ceilings`: GFLOP/s of the rounds."""
    task, _, precision = name.partition("-")
    samples = [
        {"contender": one, "round": number, "seconds": 1 / rate, "features": 1, "activity": quiet()}
        for one, values in rates.items()
        for number, rate in enumerate(values, start=1)
    ]
    samples += [
        {"contender": "top", "round": number, "seconds": 1.0, "gflops": rate, "activity": quiet()}
        for number, rate in enumerate(ceilings or [], start=1)
    ]
    return {
        "work": name,
        "task": task,
        "precision": precision or "fp32",
        "contenders": contenders,
        "samples": samples,
        "settings": {"cpu": "AMD EPYC", "threads": 2, "rounds": 3},
        "started_at": "2026-11-25T22:00:00+00:00",
        "memory_mib": 24000,
        "vnni": True,
    }


def quiet() -> dict[str, float]:
    return {"seconds": 1.0, "workflow_cpus": 2.0, "other_cpus": 0.1, "stolen_cpus": 0.0}
