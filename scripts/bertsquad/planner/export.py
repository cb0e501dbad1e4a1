"""cells.json of a finished run: the requests of its cells, and who measured what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bertsquad.benchmark.validity import VERDICTS
from bertsquad.benchmark.workload import make_workload
from bertsquad.console.errors import UserError
from bertsquad.data.features import Features
from bertsquad.files import sha256
from bertsquad.machine.reading import is_unavailable, value
from bertsquad.own_json import as_written
from bertsquad.planner.cells import SCHEMA, check
from bertsquad.planner.explored import read_explored
from bertsquad.planner.loaded import Server, at_load
from bertsquad.reporting.summary.cells import read_cell
from bertsquad.reporting.summary.comparisons import comparison_row
from bertsquad.reporting.summary.judging import judge, measured_elsewhere
from bertsquad.reporting.summary.result_files import read_object
from bertsquad.reporting.summary.tables import read_metrics

# What of config.json decides how much there is to compute.
_MODEL_KEYS = (
    *("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads"),
    "vocab_size",
)
# In percent; the ends hold 95 % of other questions on the same articles.
_SCORES = ("exact_match", "exact_match_low", "exact_match_high", "f1", "f1_low", "f1_high")
_KEY = ("run", "engine", "precision", "layout")  # of a cell
_Repeats = list[tuple[dict[str, Any], dict[str, Any]]]  # of a cell: a row, and its requests
_MEASURE = "measure it with benchmark.scenarios {padding: none} and batch size 1"


@dataclass(frozen=True, slots=True)
class Run:
    """What a run's cells were measured with."""

    checkpoint: str
    dataset: str
    features: Path
    model: Path  # the folder


def export(
    cells: Iterable[Path],
    *,
    runs: Mapping[str, Run],
    metrics: Iterable[Path] = (),
    comparisons: Iterable[Path] = (),
    machine: dict[str, Any],
    source: str,
    explored: Iterable[Path] = (),
) -> dict[str, Any]:
    """cells.json, of the cells of single requests at real lengths; the others are left aside.

    `machine` is machine.json, which `source` names. Of `explored` layouts (explored.py) the cells
    that were kept take the place of others of the same layout. `UserError` where there is no such
    cell, where one was measured on other questions than its run's or on another machine, and where
    it is not known which machine this is.
    """
    here = describe_machine(machine, source)
    scores = {_model(row): row for row in map(read_metrics, metrics)}
    compared = {_model(row): row for row in map(comparison_row, comparisons)}
    opened = {run: Features.open(each.features) for run, each in runs.items()}
    found: dict[tuple[Any, ...], _Repeats] = {}
    served: dict[tuple[Any, ...], list[Server]] = {}
    rows = {path: read_cell(path) for path in sorted(cells)}
    judge(rows.values())
    for path, row in rows.items():
        is_server = "refused" not in row and _is_server(path, row)
        if "refused" in row or not (is_server or _is_planned_with(path, row)):
            continue
        if row["run"] not in runs:
            raise UserError(f"{path}: run {row['run']!r} is not one of {', '.join(runs)}")
        _check_machine(path, row, machine, source)
        if is_server:
            server = _server(path, row, opened[row["run"]])
            served.setdefault((*_model(row), row["layout"]), []).append(server)
            continue
        requests = requests_of(path, row["mode"], opened[row["run"]])
        layout = row.get("layout") or f"1x1x{row['threads']:.0f}"
        key = (*_model(row), layout)
        found.setdefault((*key, row["mode"]), []).append((row, requests))
    # Of one layout the requests with all lanes busy are nearer to load than those one by one.
    for *cell, mode in list(found):
        if mode != "saturated" and (*cell, "saturated") in found:
            del found[(*cell, mode)]
    races = [read_explored(path) for path in explored]
    if not found and not races:
        raise UserError(f"no cell of single requests at real lengths; {_MEASURE}")
    names = sorted({key[0] for key in found} | {race.run for race in races})
    described = {run: describe_run(runs[run]) for run in names}
    kept = [row for race in races for row in race.kept(here, described)]
    taken = {tuple(row[name] for name in _KEY) for row in kept}
    data = {
        "schema": SCHEMA,
        "machine": here,
        "runs": described,
        "cells": [
            _cell(key, repeats, scores.get(tuple(key[:3]), {}), compared.get(tuple(key[:3]), {}))
            | at_load([requests for _, requests in _taken(repeats)], served.get(tuple(key[:4]), []))
            for key, repeats in found.items()
            if tuple(key[:4]) not in taken
        ]
        + kept,
    }
    check(data, "the exported cells")
    return data


def describe_machine(machine: dict[str, Any], source: str) -> dict[str, Any]:
    """The `machine` of cells.json, from machine.json; `UserError` where that does not know it."""
    cpu, memory = value(machine, "cpu", "model"), value(machine, "memory_mib")
    allowed = machine.get("allowed_cpus")
    if not cpu or not memory or not isinstance(allowed, list) or not allowed:
        missing = "processor" if not cpu else "memory" if not memory else "number of processors"
        raise UserError(
            f"{source}: an unknown machine: its {missing} could not be read; expected what "
            "`bertsquad probe-machine` writes on Linux"
        )
    limit = value(machine, "cgroup", "memory_limit_mib")
    with as_written(source, again="make it again by `bertsquad probe-machine`"):
        memory = min(float(memory), float(limit or memory))
    native = machine.get("native_precisions")
    # Memory to the GiB: kernels keep some back, not always as much.
    parts = [cpu, len(allowed), round(memory / 1024), None if is_unavailable(native) else native]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return {
        "fingerprint": digest[:16],
        "cpu": cpu,
        "cores": len(allowed),
        "memory_mib": memory,
    }


def _check_machine(
    path: Path, row: Mapping[str, Any], machine: Mapping[str, Any], source: str
) -> None:
    cpu, here = row["cpu"], value(dict(machine), "cpu", "model")
    if cpu != here:
        raise UserError(
            f"{path}: measured on {cpu or 'an unknown processor'}, but {source} describes "
            f"{here}; measure it again here, or export it there"
        )
    if said := measured_elsewhere(row, machine):
        raise UserError(f"{path}: {said}; measure it again there, or probe the machine again")


def _is_planned_with(path: Path, row: Mapping[str, Any]) -> bool:
    """Single requests at real lengths: one by one, or with all lanes of a layout busy."""
    if row["mode"] == "saturated":
        return not read_object(path).get("batching")
    return bool(row["mode"] == "batches" and row["padding"] == "none" and row["batch_size"] == 1)


def _is_server(path: Path, row: Mapping[str, Any]) -> bool:
    """A layout to which single requests came by themselves."""
    return bool(row["mode"] == "server" and not read_object(path).get("batching"))


def _server(path: Path, row: Mapping[str, Any], features: Features) -> Server:
    saturated = _saturated(path, features)
    with as_written(path, again="measure it again"):
        inflation = float(saturated["inflation"])
    return Server(row["validity"] or "valid", inflation, saturated)


def requests_of(path: Path, mode: str, features: Features) -> dict[str, Any]:
    """Word pieces, `lengths`, and `service_ms` of each request of a cell of this mode; `peak_mib`,
    `started_at`. `UserError` where it is no such cell, or one of other questions."""
    return (_saturated if mode == "saturated" else _requests)(path, features)


def _saturated(path: Path, features: Features) -> dict[str, Any]:
    """As `_requests`, of a layout whose lanes were all busy. Which features they were is in its
    samples alone, so only lengths that no feature has are told from those of other questions."""
    data = read_object(path)
    try:
        service, memory = data["service"], data["layout"]["peak_pss_mib"]
        lengths, samples = list(service["lengths"]), [float(ms) for ms in service["service_ms"]]
        strange = sorted(set(lengths) - set(features.lengths.tolist()))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a saturated cell ({error!r}); measure it again") from None
    if strange:
        raise UserError(
            f"{path}: measured on other questions: requests of {strange[0]} word pieces, which no "
            "feature has; measure it again"
        )
    return {
        "lengths": lengths,
        "service_ms": samples,
        "inflation": service.get("inflation"),  # of a server
        "started_at": data.get("started_at", ""),
        "peak_mib": memory,
    }


def _requests(path: Path, features: Features) -> dict[str, Any]:
    """Word pieces and service of each request; `UserError` where the features are others than
    those that were timed."""
    data = read_object(path)
    try:
        samples = [float(sample) for sample in data["latency_samples_ms"]]
        tokens, drawn = data["tokens"], _timed(data, features.lengths)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a cell of requests ({error!r}); measure it again") from None
    lengths = features.lengths[drawn].tolist()
    if len(samples) != len(lengths) or sum(lengths) != tokens:
        raise UserError(
            f"{path}: measured on other questions: {len(samples)} requests of {tokens:,} word "
            f"pieces, expected {len(lengths)} of {sum(lengths):,}; measure it again"
        )
    return {
        "lengths": lengths,
        "service_ms": samples,
        "started_at": data.get("started_at", ""),
        "peak_mib": data.get("peak_memory_mib"),
    }


def _timed(data: Mapping[str, Any], lengths: np.ndarray) -> np.ndarray:
    """Feature numbers of a cell's requests in their order, int64[iterations].

    Within a budget of seconds whole passes over fewer requests are timed again and again, and a
    cell holds no number of passes: it is the one that gives the word pieces of each request.
    """
    count = data["iterations"]
    most = count if data.get("seconds") is not None else 1
    once = None
    for passes in (number for number in range(1, most + 1) if count % number == 0):
        workload = make_workload(
            lengths,
            batch_size=1,
            warmup=data["warmup_iterations"],
            iterations=count // passes,
            seed=data["workload_seed"],
        )
        drawn: np.ndarray = np.tile(np.concatenate(workload.timed), passes)
        once = drawn if once is None else once
        if lengths[drawn].tolist() == data.get("batch_tokens"):
            return drawn
    assert once is not None  # a workload has at least one request
    return once


def _cell(
    key: Sequence[Any],
    repeats: _Repeats,
    score: Mapping[str, Any],
    change: Mapping[str, Any],
) -> dict[str, Any]:
    """All repeats as one."""
    taken = _taken(repeats)
    verdict = taken[0][0]["validity"] or "valid"
    run, engine, precision, layout, mode = key
    return {
        "run": run,
        "engine": engine,
        "precision": precision,
        "layout": layout,
        "mode": mode,
        "native": taken[0][0]["native"] is not False,
        "lengths": [length for _, requests in taken for length in requests["lengths"]],
        "service_ms": [each for _, requests in taken for each in requests["service_ms"]],
        "peak_mib": max((requests["peak_mib"] or 0 for _, requests in taken)) or None,
        **{name: score.get(name) for name in _SCORES},
        "f1_share": change.get("f1_share"),
        "passed": change.get("passed"),
        "validity": verdict,
        "disturbed_by": "" if verdict == "valid" else taken[0][0]["validity_reasons"],
        "measured": min(str(requests["started_at"]) for _, requests in taken),
    }


def _taken(repeats: _Repeats) -> _Repeats:
    """Where some are valid, those that were disturbed are left aside."""
    verdicts = [VERDICTS.index(row["validity"] or "valid") for row, _ in repeats]
    best = min(verdicts)
    return [each for each, verdict in zip(repeats, verdicts, strict=True) if verdict == best]


def describe_run(run: Run) -> dict[str, Any]:
    """A run as cells.json holds it: its model, and the questions that it is measured on."""
    features = Features.open(run.features)
    config = read_object(run.model / "config.json")
    lengths, counts = np.unique(features.lengths, return_counts=True)
    whole = np.ascontiguousarray(features.lengths, np.int32)
    return {
        "checkpoint": run.checkpoint,
        "dataset": run.dataset,
        "model": {name: config[name] for name in _MODEL_KEYS if name in config},
        "weights_sha256": sha256(run.model / "model.safetensors"),
        "questions": {
            "sha256": hashlib.sha256(whole.tobytes()).hexdigest(),
            "questions": len(np.unique(features.feature_question)),
            "features": len(features),
            "lengths": [list(pair) for pair in zip(lengths.tolist(), counts.tolist(), strict=True)],
        },
    }


def _model(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["run"], row["engine"], row["precision"]
