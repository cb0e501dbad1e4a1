"""Made-up files of a finished run, and cells.json, whose services are known."""

import json
from pathlib import Path
from typing import Any

import numpy as np

import fake_results
from bertsquad.benchmark.workload import make_workload
from engines.small_run import write_features, write_finetuned

CPU = "Example Processor 9000"


def cells_file(path: Path, **machines: Any) -> Path:
    """A cells.json of one engine: services of 10 ms + 0.1 ms a word piece, 2 % to and fro."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(cells_data(**machines)), encoding="utf-8")
    return path


def cells_data(
    *,
    cells: list[dict[str, Any]] | None = None,
    cpu: str = CPU,
    cores: int = 2,
    memory_mib: float = 8192.0,
    layers: int = 12,
    lengths: tuple[tuple[int, int], ...] = ((100, 60), (300, 40)),
    questions: int = 80,
) -> dict[str, Any]:
    """cells.json as a value."""
    return {
        "schema": 1,
        "machine": {
            "fingerprint": f"{abs(hash((cpu, cores))) % 16**16:016x}",
            "cpu": cpu,
            "cores": cores,
            "memory_mib": memory_mib,
        },
        "runs": {
            "demo": {
                "checkpoint": "tiny",
                "dataset": "made-up",
                "model": {"num_hidden_layers": layers, "hidden_size": 128},
                "weights_sha256": "0" * 64,
                "questions": {
                    "sha256": f"{sum(a * b for a, b in lengths):064x}",
                    "questions": questions,
                    "features": sum(count for _, count in lengths),
                    "lengths": [list(pair) for pair in lengths],
                },
            }
        },
        "cells": cells or [cell()],
    }


def cell(
    engine: str = "torch",
    precision: str = "fp32",
    *,
    factor: float = 1.0,
    requests: int = 400,
    noise: float = 0.02,
    **changes: Any,
) -> dict[str, Any]:
    """One cell; `factor` is how many times as long its services are."""
    random = np.random.default_rng(7)
    drawn = random.choice([100, 200, 300], requests)
    service = factor * (10 + 0.1 * drawn) * np.exp(noise * random.standard_normal(requests))
    return {
        "run": "demo",
        "engine": engine,
        "precision": precision,
        "layout": "1x1x2",
        "native": True,
        "lengths": drawn.tolist(),
        "service_ms": service.tolist(),
        "peak_mib": 800.0,
        "f1": 88.0,
        "f1_share": None,
        "passed": None,
        "validity": "valid",
        "disturbed_by": "",
        "measured": "2026-01-02T03:04:05+00:00",
        **changes,
    }


class FinishedRun:
    """The files of a run `demo` that is timed by two engines, as export_cells.py reads them."""

    def __init__(self, folder: Path, iterations: int = 40) -> None:
        self.model = write_finetuned(folder)
        self.features = folder / "features.safetensors"
        found = write_features(self.features, self.model, list(range(5, 25)))
        self.machine = folder / "machine.json"
        self.machine.write_text(json.dumps(fake_results.MACHINE), encoding="utf-8")
        self.results = fake_results.Results(folder / "results")
        workload = make_workload(found.lengths, batch_size=1, warmup=5, iterations=iterations)
        lengths = found.lengths[np.concatenate(workload.timed)]
        for engine, factor in (("torch", 1.0), ("openvino", 0.5)):
            model = f"{engine}-fp32"
            fake_results.add_metrics(self.results, "demo", model, 80.0, 88.0)
            for repeat in (1, 2):
                self.add(engine, factor * (1 + lengths / 10), lengths, repeat)
        fake_results.add_comparison(self.results, "demo", "openvino-fp32", 0.999)
        offline = fake_results.whole_set_cell("torch", "fp32", "offline", 50.0)
        fake_results.add_cell(self.results, "demo", offline)

    def add(self, engine: str, ms: np.ndarray, lengths: np.ndarray, repeat: int, **changes) -> None:
        """A cell of these requests."""
        data = fake_results.cell(
            engine, "fp32", "real-lengths", 1, 20.0, batches=len(ms), repeat=repeat
        )
        data |= {
            "latency_samples_ms": ms.tolist(),
            "tokens": int(lengths.sum()),
            "workload_seed": 0,
        }
        fake_results.add_cell(self.results, "demo", data | changes)

    def add_saturated(self, engine: str, layout: str, lengths: list[int], ms: list[float]) -> None:
        """A cell of a layout whose lanes were all busy with these requests."""
        service = {"lengths": lengths, "service_ms": ms, "mean_ms": sum(ms) / len(ms)}
        self._add_layout(engine, layout, {"mode": "saturated", "load": "saturated"}, service)

    def add_server(
        self,
        engine: str,
        layout: str,
        inflation: float,
        repeat: int = 1,
        lengths: tuple[int, ...] = (12, 31),
        ms: tuple[float, ...] = (3.0, 5.0),
        **changes: Any,
    ) -> None:
        """A cell of a layout to which requests came at seven tenths of its capacity; `lengths` and
        `ms` with all lanes busy."""
        server = {
            **{"mode": "server", "load": "share0.7", "repeat": repeat},
            "arrivals": {"kind": "poisson", "rate": 14.0, "share": 0.7},
            "twin": {"verdict": "fits", "p99_ms": {"at_load": {"value": 9.0}}},
        }
        service = {"lengths": list(lengths), "service_ms": list(ms), "mean_ms": 4.0}
        self._add_layout(engine, layout, server | changes, service | {"inflation": inflation})

    def _add_layout(self, engine: str, layout: str, facts: dict, service: dict) -> None:
        instances, streams, threads = map(int, layout.split("x"))
        data = fake_results.cell(engine, "fp32", "busy", 1, 20.0)
        data |= {
            **{"batch_size": None, "threads_requested": layout, "batching": None, "requests": 400},
            "layout": {
                "instances": instances,
                "streams": streams,
                "threads": threads,
                "peak_pss_mib": 512.0,
            },
            "service": service,
            "capacity": {"features_per_second": 20.0},
        }
        data |= facts
        folder = self.results.root / "demo" / f"{engine}-fp32" / "benchmark/busy"
        path = folder / f"layout{layout}-{data['load']}-repeat{data['repeat']}.json"
        self.results.cells.append(fake_results.write(path, data))
