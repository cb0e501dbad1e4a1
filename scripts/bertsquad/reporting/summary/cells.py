"""A benchmark cell's file as columns of summary.csv."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertsquad.benchmark.loads import PATTERN as LOADS
from bertsquad.benchmark.modes import DEFAULT, MODES, SERVED, WITH_LATENCY
from bertsquad.benchmark.validity import reasons_in_words, worst
from bertsquad.console.errors import UserError
from bertsquad.machine.identity import identity_of
from bertsquad.reporting.summary.result_files import (
    agree,
    available,
    model_of,
    read_object,
    required_number,
)

PERCENTILES = ("p50", "p90", "p95", "p99")
# `auto`: the engine cuts the batches.
_CELL_NAME = re.compile(
    r"(?:batch(?P<batch>\d+|auto)-threads(?P<threads>\w+)"
    rf"|layout(?P<layout>auto|\d+x\d+x\d+)-(?P<load>{LOADS}))-repeat(?P<repeat>\d+)\.json"
)


def read_cell(path: str | Path) -> dict[str, Any]:
    """The benchmark columns of one cell."""
    path = Path(path)
    # With `machines` in the configuration a folder for each kind is between the two.
    machine = path.parts[-3] if path.parts[-4:-3] == ("benchmark",) else ""
    run, engine, precision = model_of(path, depth=4 if machine else 3)
    match = _CELL_NAME.fullmatch(path.name)
    if match is None or (not machine and path.parts[-3] != "benchmark"):
        raise UserError(
            f"{path}: not the path of a benchmark cell; expected "
            "{run}/{engine}-{precision}/benchmark/{scenario}/batchB-threadsT-repeatR.json or "
            "layoutL-LOAD-repeatR.json"
        )
    data = read_object(path)
    agree(path, data, "engine", engine)
    agree(path, data, "precision", precision)
    agree(path, data, "scenario", path.parts[-2])
    if match["layout"] is None:
        agree(path, data, "batch_size", None if match["batch"] == "auto" else int(match["batch"]))
    else:
        agree(path, data, "threads_requested", match["layout"])
        agree(path, data, "load", match["load"])
    agree(path, data, "repeat", int(match["repeat"]))
    row: dict[str, Any] = {"source": path, "run": run, "cell": (machine, *path.parts[-2:])}
    row |= {"machine": machine, "identity": identity_of(data)}  # the latter for judging.py
    row["mode"] = data.get("mode", DEFAULT)
    if not isinstance(row["mode"], str) or row["mode"] not in MODES:
        raise UserError(f"{path}: mode {row['mode']!r}; expected one of {', '.join(MODES)}")
    for name in ("engine", "precision", "scenario", "padding", "cpu", "started_at", "native"):
        row[name] = available(data.get(name))
    for name in ("host", "node", "job"):
        row[name] = data.get(name) or ""
    row["threads_requested"] = match["threads"] or ""
    if row["mode"] in SERVED:
        row |= {"load": match["load"], "layout": match["layout"]}
    activity = data.get("activity")
    row["other_cpus"] = available(
        (activity if isinstance(activity, dict) else {}).get("other_cpus")
    )
    row["batch_size"] = data.get("batch_size")
    for name in ("threads", "repeat"):
        row[name] = required_number(path, data, name)
    try:
        found = data.get("validity") or {}
        row["validity"] = found.get("verdict", "")
        row["validity_reasons"] = reasons_in_words(found.get("reasons", []))
        row["reasons"] = found.get("reasons", [])  # no column: judging.py adds to them
        worst(row["reasons"])  # each has a level
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UserError(f"{path}: `validity` is not as a cell holds it; measure it again") from None
    row |= _taken(path, data)
    if "refused" in data:
        return row | {"refused": data["refused"]}
    if row["mode"] in SERVED:
        row |= under_load(path, data)
    return row | speeds(path, data, row["mode"])


def _taken(path: Path, data: Mapping[str, Any]) -> dict[str, Any]:
    """How often, when in the order and after how much waiting a cell was measured, how fast the
    machine was meanwhile, and how steady it all was; empty for a cell that does not tell."""
    names = ("tries", "order", "calibration", "steady")
    tries, order, calibration, steady = (data.get(name) or {} for name in names)
    try:
        return {
            "tries": tries.get("number"),
            "waited_s": tries.get("waited_s"),
            "place": order.get("place"),
            "calibration": calibration.get("product", ""),
            "calibration_before_gflops": calibration.get("before_gflops"),
            "calibration_after_gflops": calibration.get("after_gflops"),
            "steady": steady.get("class", ""),
            "dropped": steady.get("dropped"),
            "drift": steady.get("drift", {}).get("share"),
        }
    except AttributeError:
        raise UserError(
            f"{path}: one of {', '.join(names)} is no object; measure this cell again"
        ) from None


def speeds(path: Path, data: dict[str, Any], mode: str) -> dict[str, Any]:
    """What a cell measured."""
    row = {name: required_number(path, data, name) for name in MODES[mode].rates}
    for name in (
        *("warmup_iterations", "iterations", "features", "tokens", "computed_tokens"),
        *("max_seq_length", "useful_tokens_per_second", "tokenise_s", "decode_s", "model_s"),
        *("peak_memory_mib", "model_load_s", "first_inference_s", "cold_s"),
    ):
        row[name] = available(data.get(name))
    # A pass over a whole set is not a request: only batches have a latency.
    if mode in (*WITH_LATENCY, "server"):
        latency = data.get("latency_ms")
        if not isinstance(latency, dict):
            raise UserError(f"{path}: no `latency_ms`; measure this cell again")
        row |= latencies(path, latency)
    return row


def latencies(path: Path, latency: Mapping[str, Any]) -> dict[str, Any]:
    """The latency columns; a percentile of too few batches is empty."""
    row = {f"latency_{name}_ms": available(latency.get(name)) for name in ("mean", "min", "max")}
    for name in PERCENTILES:
        found = latency.get(name)
        if not isinstance(found, dict):
            raise UserError(f"{path}: no interval of {name}; measure this cell again")
        row[f"latency_{name}_ms"] = found.get("value")
        for end in ("low", "high"):
            row[f"latency_{name}_{end}_ms"] = found.get(end)
    return row


def under_load(path: Path, data: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a cell of a layout."""
    try:
        layout, service, capacity = (data[name] for name in ("layout", "service", "capacity"))
        row = {
            "layout": f"{layout['instances']}x{layout['streams']}x{layout['threads']}",
            "requests": data["requests"],
            "service_mean_ms": service["mean_ms"],
            "capacity_per_second": capacity["features_per_second"],
        }
        if data["mode"] == "server":
            twin = data["twin"]
            row |= {
                "arrival_rate": data["arrivals"]["rate"],
                "arrival_share": data["arrivals"]["share"],
                "twin": twin["verdict"],
                "twin_p99_ms": twin["p99_ms"]["at_load"]["value"],
            }
        if "slo" in data:
            row |= {"slo_ms": data["slo"]["ms"], "slo_met": data["slo"]["met"]}
            row |= {"slo_search": data["search"]["status"]}
        return row
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: no {error} of a cell under load; measure it again") from None
