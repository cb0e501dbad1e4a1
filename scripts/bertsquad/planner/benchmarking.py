"""The benchmark's command for a cell that a plan, a race or a verification measures anew."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """A cell to measure: whose model and questions, how it is run, and in which mode."""

    run: str
    features: Path | str
    model: Path | str  # the folder
    engine: str
    precision: str
    layout: str
    mode: str = "server"  # of the benchmark


def quantized_of(results: Path, run: str, engine: str) -> Path:
    """The folder of an engine's INT8 model of a run."""
    return results / run / f"{engine}-int8" / "quantized"


def command(
    scripts: Path,
    results: Path,
    target: Target,
    output: Path,
    *,
    scenario: str,
    seconds: float,
    repeat: int = 1,
    more: Iterable[object] = (),
) -> list[str]:
    """The command, without a shell. In mode batches a layout is a number of threads, and requests
    are single, at real lengths; in the other modes it is a layout of processes. `scripts`: the
    folder of the commands; `results`: where INT8 models are; `more`: further options."""
    one_by_one = target.mode == "batches"
    script = "benchmark_inference.py" if one_by_one else "benchmark_serving.py"
    options = [
        *("--mode", target.mode, "--scenario", scenario, "--engine", target.engine),
        *("--precision", target.precision, "--model", target.model, "--features", target.features),
        *("--seconds", f"{seconds:.6g}", "--repeat", repeat, "--output", output),
    ]
    if one_by_one:
        threads = target.layout.rpartition("x")[2]
        options += ["--padding", "none", "--batch-size", 1, "--warmup", 5, "--threads", threads]
    else:
        options += ["--layout", target.layout]
    if target.precision == "int8":
        options += ["--quantized", quantized_of(results, target.run, target.engine)]
    return [sys.executable, str(scripts / script), *map(str, options), *map(str, more)]
