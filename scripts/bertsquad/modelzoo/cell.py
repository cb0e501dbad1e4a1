"""The measurements of a call of the launcher as JSON, with the keys of our benchmark cells."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from bertsquad.benchmark.percentiles import summarize
from bertsquad.console.errors import UserError
from bertsquad.modelzoo.launcher import DEFAULT_BATCH_SIZE, max_seq_length
from bertsquad.modelzoo.log import Log, corrected, summed_speed

ENGINE = "modelzoo"
PRECISIONS = {"fp32": "fp32", "bfloat16": "bf16"}  # the launcher's name -> ours
CLOCK = (
    "the launcher's own, corrected: it starts after one batch more than the warm-up it leaves out; "
    "between the last batch and its end it may hold some seconds more"
)


@dataclass(frozen=True)
class Arrivals:
    """Arrival times of the lines `Processed #examples: N`."""

    examples: list[int] = field(default_factory=list)  # N of each line
    seconds: list[float] = field(default_factory=list)  # since the start of the launcher

    def add(self, examples: int, seconds: float) -> None:
        """Add a line. Of a line that TensorFlow prints in two forms, the first counts."""
        if not self.examples or examples > self.examples[-1]:
            self.examples.append(examples)
            self.seconds.append(seconds)


def checked_run(path: str | Path, run: Any) -> dict[str, Any]:
    """What run_modelzoo.py writes into run.json; `UserError` that names what is wrong with it."""

    def is_number(value: Any, kinds: Any = int | float) -> bool:
        return isinstance(value, kinds) and not isinstance(value, bool) and abs(value) < 1e15

    try:
        settings, arrivals = run["settings"], run["arrivals"]
        examples, seconds = arrivals["examples"], arrivals["seconds"]
        sizes = [settings["batch_size"], settings.get("processes", 1)]
        whole = (
            settings["mode"] in ("benchmark", "training", "accuracy")
            and all(is_number(size, int) and size >= 1 for size in sizes)
            and isinstance(run["surroundings"], dict)
            and isinstance(examples, list)
            and isinstance(seconds, list)
            and len(examples) == len(seconds)
            and arrivals.keys() == {"examples", "seconds"}
            and all(is_number(count, int) and count >= 0 for count in examples)
            and all(is_number(moment) for moment in seconds)
        )
    except (KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise UserError(
            f"{path}: not what run_modelzoo.py writes (settings, surroundings, arrivals); delete "
            "it to run the step again"
        )
    checked: dict[str, Any] = run
    return checked


def batch_ends(arrivals: Arrivals, batch_size: int) -> list[tuple[int, float]]:
    """(number of a batch from 1, its end in seconds) for each batch with a line.

    The examples of a batch come out together, so its first line arrives when it is computed.
    """
    ends: dict[int, float] = {}
    for count, moment in zip(arrivals.examples, arrivals.seconds, strict=True):
        ends.setdefault(-(-count // batch_size), moment)
    return sorted(ends.items())


def observed(arrivals: Arrivals, batch_size: int, warmup_batches: int) -> dict[str, Any]:
    """The speed by the arrival of log lines, independent of the launcher's clock.

    It counts the batches after the warm-up, from the end of the first to the end of the last. The
    latencies in ms are empty unless every one of these batches has a line.
    """
    ends = [end for end in batch_ends(arrivals, batch_size) if end[0] > warmup_batches]
    if len(ends) < 2 or ends[-1][1] <= ends[0][1]:
        return {"observed_features_per_second": None, "latency_samples_ms": []}
    (first, start), (last, end) = ends[0], ends[-1]
    gaps = [
        1000 * (after[1] - before[1])
        for before, after in pairwise(ends)
        if after[0] == before[0] + 1
    ]
    return {
        "observed_features_per_second": batch_size * (last - first) / (end - start),
        "latency_samples_ms": gaps if len(gaps) == len(ends) - 1 else [],
    }


def describe_benchmark(
    log: Log, arrivals: Arrivals, settings: Mapping[str, Any], surroundings: Mapping[str, Any]
) -> dict[str, Any]:
    """The cell of a benchmark; `settings` is what `requested_settings` returns."""
    size = settings["batch_size"]
    warmup = (log.warmup or 0) // size
    batches = (log.processed or 0) // size
    seen = observed(arrivals, size, warmup)
    samples = seen["latency_samples_ms"]
    return {
        **settings,
        **surroundings,
        **seen,
        "scenario": "guide",
        "padding": "max_length",
        "warmup_iterations": warmup + (1 if log.clock_is_late else 0),
        "iterations": max(0, batches - warmup - (1 if log.clock_is_late else 0)),
        "features": max(0, (log.processed or 0) - (log.warmup or 0)),
        "elapsed_s": log.elapsed_s,
        "printed_features_per_second": log.throughput,
        "features_per_second": corrected(log, size),
        "latency_ms": summarize(samples) if samples else {},
        "clock": CLOCK,
    }


def describe_training(
    log: Log, settings: Mapping[str, Any], surroundings: Mapping[str, Any]
) -> dict[str, Any]:
    """The result of a training; its speed is the sum over all processes."""
    processes = settings["processes"]
    return {
        **settings,
        **surroundings,
        "steps": log.steps,  # per process
        "examples_per_second": finite(summed_speed(log.speeds, processes)),
        "printed_examples_per_second": [finite(speed) for speed in log.speeds],  # one process each
        "final_losses": [finite(loss) for loss in log.final_losses],  # one per process
    }


def finite(value: float | None) -> float | None:
    """The value, or None for nan and inf, which JSON does not have: a training may diverge."""
    return value if value is not None and math.isfinite(value) else None


def describe_accuracy(
    log: Log, settings: Mapping[str, Any], surroundings: Mapping[str, Any]
) -> dict[str, Any]:
    """The scores that an accuracy run printed; `evaluate` scores its predictions again."""
    return {**settings, **surroundings, "printed": log.scores}


def requested_settings(
    mode: str, precision: str, options: Mapping[str, Any], arguments: Mapping[str, str]
) -> dict[str, Any]:
    """The settings of a step under the keys of our benchmark cells.

    `options` and `arguments` are `CommandLine.options` and `CommandLine.values()`.
    """
    kind = "training" if mode == "training" else "inference"
    size = int(options.get("batch_size", -1))
    threads = options.get("num_intra_threads")
    return {
        "engine": ENGINE,
        "mode": mode,
        "precision": PRECISIONS[precision],
        "batch_size": DEFAULT_BATCH_SIZE[kind] if size == -1 else size,
        "max_seq_length": max_seq_length(kind, arguments),
        "threads": int(threads) if threads else None,
        "processes": int(options.get("mpi_num_processes") or 1),
        "repeat": 1,
    }


def description(
    mode: str, log: Log, arrivals: Arrivals, settings: dict[str, Any], surroundings: dict[str, Any]
) -> dict[str, Any]:
    """The result of a run as JSON, by its mode: benchmark, training or accuracy."""
    if mode == "benchmark":
        return describe_benchmark(log, arrivals, settings, surroundings)
    describe = describe_training if mode == "training" else describe_accuracy
    return describe(log, settings, surroundings)


def headline(mode: str, result: Mapping[str, Any]) -> str:
    """The main numbers of a result in one line, for the log."""
    if mode == "benchmark":
        return (
            f"{result['printed_features_per_second']} features/s printed, "
            f"{shown(result['features_per_second'])} with the clock corrected, "
            f"{shown(result['observed_features_per_second'])} by the arrival of its lines"
        )
    if mode == "training":
        speed = shown(result["examples_per_second"])
        return f"{speed} examples/s on {result['processes']} processes, {result['steps']} steps"
    return ", ".join(f"{name} {value}" for name, value in result["printed"].items())


def shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
