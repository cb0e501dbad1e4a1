"""The table that summarize.py writes, from metrics, comparisons, benchmark cells and logs."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bertsquad.console.errors import UserError
from bertsquad.reporting.summary.cells import latencies, read_cell
from bertsquad.reporting.summary.checking import checked
from bertsquad.reporting.summary.columns import NAMES
from bertsquad.reporting.summary.comparisons import comparison_row
from bertsquad.reporting.summary.judging import judge
from bertsquad.reporting.summary.result_files import (
    made_on,
    model_of,
    optional_pair,
    read_object,
    required_number,
)
from bertsquad.reporting.summary.summary import MODELZOO, typed
from bertsquad.reporting.summary.training_log import training_totals

_MODEL = ("run", "engine", "precision")
_STEP_COLUMNS = (
    *("precision", "scenario", "padding", "max_seq_length", "batch_size", "threads", "repeat"),
    *("warmup_iterations", "iterations", "features", "features_per_second", "cpu", "started_at"),
    *("printed_features_per_second", "observed_features_per_second"),
)


def summarize(
    metrics: Iterable[str | Path],
    cells: Iterable[str | Path],
    logs: Iterable[str | Path],
    config: dict[str, Any] | None = None,
    modelzoo: Iterable[str | Path] = (),
    comparisons: Iterable[str | Path] = (),
    machines: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """One row per benchmark cell, with the accuracy and the training of its run beside it; one row
    per (run, engine, precision) that was scored but not timed, and one more per kind of machine
    that scored it, too; one per step of the Model Zoo. Columns as in columns.py.

    Paths end in `{run}/{engine}-{precision}/metrics.json` or `comparison.json`, by a kind of
    machine `{run}/{engine}-{precision}/machines/{machine}/metrics.json`,
    `{run}/{engine}-{precision}/benchmark/{scenario}/batchB-threadsT-repeatR.json` and
    `{run}/training_log.jsonl`; those of `modelzoo` in
    `modelzoo/{step}/result.json` or `metrics.json`. `config` is the resolved configuration,
    `machines` are the machine.json that cells are held against, by kind of machine ("": one).
    Raises `UserError` for a file that is somewhere else, lacks a key, contradicts its path, or
    measures the same thing as another.
    """
    scored = _index_by((*_MODEL, "machine"), (read_metrics(path) for path in metrics))
    accuracy = {tuple(model): row for (*model, machine), row in scored.items() if not machine}
    compared = _index_by(_MODEL, map(comparison_row, comparisons))
    training = _index_by(("run",), (training_totals(path) for path in logs))
    for totals in training.values():
        _check_trained(totals, config)
    measured = _index_by((*_MODEL, "cell"), (checked(path, read_cell(path)) for path in cells))
    timed = {_of(row, _MODEL) for row in measured.values()}
    there = {key: _of_machine(row) for key, row in scored.items() if row["machine"]}
    timed_there = {_of(row, (*_MODEL, "machine")) for row in measured.values()}
    rows = [*measured.values(), *(row for key, row in accuracy.items() if key not in timed)]
    rows += [row for key, row in there.items() if key not in timed_there]
    merged = []
    for row in rows:
        model = _of(row, _MODEL)
        known = training.get((row["run"],), {}) | accuracy.get(model, {}) | compared.get(model, {})
        own = there.get((*model, row["machine"]), {})
        merged.append(configured(row["run"], config) | known | own | row)
    judge(merged, machines)
    merged += _step_rows(modelzoo, config)
    return typed(pd.DataFrame(merged, columns=list(NAMES)))


def _of(row: Mapping[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _of_machine(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that scores by a kind of machine give."""
    own = {f"machine_{name}": row[name] for name in ("exact_match", "f1")}
    return {name: row[name] for name in ("source", *_MODEL, "machine")} | own


def _check_trained(totals: dict[str, Any], config: dict[str, Any] | None) -> None:
    """`UserError` for an empty log of a run that trains: emptied, with its old time, it would pass
    for a run of no steps."""
    run = ((config or {}).get("runs") or {}).get(totals["run"]) or {}
    if run.get("epochs") and not totals["train_steps"]:
        raise UserError(
            f"{totals['source']}: empty, although the run trains {run['epochs']:g} epochs; delete "
            "the run's folder to train it again"
        )


def read_metrics(path: str | Path) -> dict[str, Any]:
    """The accuracy columns of one metrics.json, and the kind of machine that has computed it, ""
    for the answers that are computed once."""
    path = Path(path)
    machine, depth = made_on(path)
    run, engine, precision = model_of(path, depth)
    named = {"source": path, "run": run, "engine": engine, "precision": precision}
    return named | {"machine": machine} | checked(path, scores(path))


def scores(path: Path) -> dict[str, Any]:
    """The accuracy columns that a metrics.json gives, whoever predicted."""
    data = read_object(path)
    low_em, high_em = optional_pair(path, data, "exact_match_interval")
    low_f1, high_f1 = optional_pair(path, data, "f1_interval")
    articles_em = optional_pair(path, data, "exact_match_interval_articles")
    articles_f1 = optional_pair(path, data, "f1_interval_articles")
    has_low, has_high = optional_pair(path, data, "HasAns_f1_interval")
    no_low, no_high = optional_pair(path, data, "NoAns_f1_interval")
    scored = "not_scored" not in data
    return {
        "questions": data.get("questions"),
        "exact_match": required_number(path, data, "exact_match") if scored else None,
        "exact_match_low": low_em,
        "exact_match_high": high_em,
        "f1": required_number(path, data, "f1") if scored else None,
        "exact_match_low_articles": articles_em[0],
        "exact_match_high_articles": articles_em[1],
        "f1_low_articles": articles_f1[0],
        "f1_high_articles": articles_f1[1],
        "f1_low": low_f1,
        "f1_high": high_f1,
        "confidence": data.get("confidence"),
        "unanswered": data.get("unanswered"),
        "official_script": data.get("official_script", ""),
        "has_answer_exact_match": data.get("HasAns_exact"),
        "has_answer_f1": data.get("HasAns_f1"),
        "has_answer_f1_low": has_low,
        "has_answer_f1_high": has_high,
        "no_answer_f1": data.get("NoAns_f1"),
        "no_answer_f1_low": no_low,
        "no_answer_f1_high": no_high,
        "best_f1": data.get("best_f1"),
        "best_f1_threshold": data.get("best_f1_thresh"),
    }


def _step_rows(paths: Iterable[str | Path], config: dict[str, Any] | None) -> list[dict[str, Any]]:
    """One row per step of the Model Zoo, from its result.json and, where it predicted, its
    metrics.json beside it."""
    rows: dict[str, dict[str, Any]] = {}
    for path in map(Path, sorted(map(str, paths))):
        step = path.parent.name
        row = rows.setdefault(step, _step_settings(step, config))
        if path.name == "metrics.json":
            row |= checked(path, scores(path))
            continue
        data = read_object(path)
        row |= {name: data.get(name) for name in _STEP_COLUMNS if name in data}
        latency = data.get("latency_ms") or {}
        if not isinstance(latency, dict):
            raise UserError(f"{path}: `latency_ms` is no object; make the file again")
        row |= latencies(path, latency) if latency else {}
        row["train_examples_per_second"] = data.get("examples_per_second")
        row["train_steps"] = data.get("steps")
        checked(path, row)
    for step, row in rows.items():
        trained = _modelzoo_steps(config).get(step, {}).get("weights_from")
        if trained in rows:
            row["train_steps"] = rows[trained].get("train_steps")
    return list(rows.values())


def _modelzoo_steps(config: dict[str, Any] | None) -> dict[str, Any]:
    steps: dict[str, Any] = ((config or {}).get("modelzoo") or {}).get("steps", {})
    return steps


def _step_settings(step: str, config: dict[str, Any] | None) -> dict[str, Any]:
    """The columns of a Model Zoo step that the configuration gives."""
    config, steps = config or {}, _modelzoo_steps(config)
    entry = steps.get(step, {})
    trained = steps.get(entry.get("weights_from") or "", {})
    own = entry.get("checkpoint") or trained.get("checkpoint")
    return {
        "run": f"{MODELZOO}:{step}",
        "engine": MODELZOO,
        "checkpoint": own or config.get("checkpoint", ""),
        "dataset": entry.get("dataset") or config.get("dataset", ""),
    }


def _index_by(
    names: Sequence[str], rows: Iterable[dict[str, Any]]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows by key; two files with the same key are an error that names both."""
    result: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        if key in result:
            raise UserError(f"{row['source']}: measures the same as {result[key]['source']}")
        result[key] = row
    return result


def configured(run: str, config: dict[str, Any] | None) -> dict[str, Any]:
    """The columns of a run that the configuration gives."""
    config = config or {}
    settings = config.get("runs", {}).get(run, {})
    return {
        "checkpoint": settings.get("checkpoint") or config.get("checkpoint", ""),
        "dataset": settings.get("dataset") or config.get("dataset", ""),
        "training_precision": settings.get("precision", ""),
    }
