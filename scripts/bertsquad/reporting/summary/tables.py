"""Measured files (metrics, benchmark cells, training logs) to one tidy table."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bertsquad.benchmark.modes import WITH_LATENCY
from bertsquad.console.errors import UserError
from bertsquad.reporting.summary.cells import PERCENTILES, read_cell
from bertsquad.reporting.summary.columns import COLUMNS, NAMES
from bertsquad.reporting.summary.comparisons import comparison_row
from bertsquad.reporting.summary.result_files import (
    model_of,
    optional_pair,
    read_object,
    required_number,
)

# What is measured. Not `threads_requested`: where `all` means 2 threads, a cell of 2 threads and
# one of `all` are two repeats of one measurement.
CELL_KEY = ("run", "engine", "precision", "scenario", "mode", "padding", "batch_size", "threads")
# Steps of Intel's Model Zoo are no runs of ours: `modelzoo:train` can be no run's name.
MODELZOO = "modelzoo"
STEP_COLUMNS = (
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
) -> pd.DataFrame:
    """One row per benchmark cell, with the accuracy and the training of its run beside it; one row
    per (run, engine, precision) that was scored but not timed; one per step of the Model Zoo.
    Columns as in columns.py.

    Paths end in `{run}/{engine}-{precision}/metrics.json` or `comparison.json`,
    `{run}/{engine}-{precision}/benchmark/{scenario}/batchB-threadsT-repeatR.json` and
    `{run}/training_log.jsonl`; those of `modelzoo` in
    `modelzoo/{step}/result.json` or `metrics.json`. `config` is the resolved configuration. Raises
    `UserError` for a file that is somewhere else, lacks a key, contradicts its path, or measures
    the same thing as another.
    """
    accuracy = index_by(("run", "engine", "precision"), (read_metrics(path) for path in metrics))
    compared = index_by(("run", "engine", "precision"), map(comparison_row, comparisons))
    training = index_by(("run",), (training_totals(path) for path in logs))
    measured = index_by(("run", "engine", "precision", "cell"), (read_cell(path) for path in cells))
    timed = {(row["run"], row["engine"], row["precision"]) for row in measured.values()}
    rows = [*measured.values(), *(row for key, row in accuracy.items() if key not in timed)]
    merged = []
    for row in rows:
        model = (row["run"], row["engine"], row["precision"])
        known = training.get((row["run"],), {}) | accuracy.get(model, {}) | compared.get(model, {})
        merged.append(configured(row["run"], config) | known | row)
    merged += step_rows(modelzoo, config)
    return typed(pd.DataFrame(merged, columns=list(NAMES)))


def read_metrics(path: str | Path) -> dict[str, Any]:
    """The accuracy columns of one metrics.json."""
    path = Path(path)
    run, engine, precision = model_of(path, depth=1)
    named = {"source": path, "run": run, "engine": engine, "precision": precision}
    return named | scores(path)


def scores(path: Path) -> dict[str, Any]:
    """What a metrics.json says."""
    data = read_object(path)
    low_em, high_em = optional_pair(path, data, "exact_match_interval")
    low_f1, high_f1 = optional_pair(path, data, "f1_interval")
    return {
        "questions": data.get("questions"),
        "exact_match": required_number(path, data, "exact_match"),
        "exact_match_low": low_em,
        "exact_match_high": high_em,
        "f1": required_number(path, data, "f1"),
        "f1_low": low_f1,
        "f1_high": high_f1,
        "confidence": data.get("confidence"),
        "unanswered": data.get("unanswered"),
        "official_script": data.get("official_script", ""),
    }


def step_rows(paths: Iterable[str | Path], config: dict[str, Any] | None) -> list[dict[str, Any]]:
    """One row per step of the Model Zoo, from its result.json and, where it predicted, its
    metrics.json beside it."""
    rows: dict[str, dict[str, Any]] = {}
    for path in map(Path, sorted(map(str, paths))):
        step = path.parent.name
        row = rows.setdefault(step, step_settings(step, config))
        if path.name == "metrics.json":
            row |= scores(path)
            continue
        data = read_object(path)
        row |= {name: data.get(name) for name in STEP_COLUMNS if name in data}
        latency = data.get("latency_ms") or {}
        row |= {f"latency_{name}_ms": latency.get(name) for name in ("mean", *PERCENTILES)}
        row["train_examples_per_second"] = data.get("examples_per_second")
        row["train_steps"] = data.get("steps")
    for step, row in rows.items():
        trained = modelzoo_steps(config).get(step, {}).get("weights_from")
        if trained in rows:
            row["train_steps"] = rows[trained].get("train_steps")
    return list(rows.values())


def modelzoo_steps(config: dict[str, Any] | None) -> dict[str, Any]:
    return ((config or {}).get("modelzoo") or {}).get("steps", {})


def step_settings(step: str, config: dict[str, Any] | None) -> dict[str, Any]:
    """What the configuration says of a step of the Model Zoo."""
    config, steps = config or {}, modelzoo_steps(config)
    entry = steps.get(step, {})
    trained = steps.get(entry.get("weights_from") or "", {})
    own = entry.get("checkpoint") or trained.get("checkpoint")
    return {
        "run": f"{MODELZOO}:{step}",
        "engine": MODELZOO,
        "checkpoint": own or config.get("checkpoint", ""),
        "dataset": entry.get("dataset") or config.get("dataset", ""),
    }


def read_training_log(path: str | Path) -> pd.DataFrame:
    """A training log: one row per optimizer step, columns as in the file.

    `examples` and `tokens` are those of the step; `elapsed_s` counts from the start of training.
    """
    path = Path(path)
    if path.name != "training_log.jsonl":
        raise UserError(
            f"{path}: not the path of a training log; expected {{run}}/training_log.jsonl"
        )
    steps = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    for number, line in enumerate(lines, start=1):
        try:
            step = json.loads(line)
        except json.JSONDecodeError:
            step = None
        if not isinstance(step, dict) or not {"step", "loss"} <= step.keys():
            raise UserError(
                f"{path}: line {number} is not a training step, a JSON object with step and loss;"
                " delete the run's folder to train it again"
            )
        steps.append(step)
    names = ["step", "loss", "learning_rate", "examples", "tokens", "threads"]
    return pd.DataFrame(steps, columns=[*names, "tokens_per_second", "elapsed_s"]).astype(float)


def training_totals(path: str | Path) -> dict[str, Any]:
    """The training columns of one run. A run of 0 steps has 0 steps and nothing else."""
    log = read_training_log(path)
    totals: dict[str, Any] = {"source": path, "run": run_of_log(path), "train_steps": len(log)}
    if log.empty:
        return totals
    seconds = elapsed(log["elapsed_s"])
    tokens = log["tokens"].sum()
    last = max(1, round(len(log) / 20))
    return totals | {
        "train_examples": log["examples"].sum(),
        "train_tokens": tokens,
        "train_threads": log["threads"].max(),
        "train_seconds": seconds,
        "train_examples_per_second": log["examples"].sum() / seconds if seconds > 0 else None,
        "train_tokens_per_second": tokens / seconds if seconds > 0 else None,
        "train_final_loss": log["loss"].tail(last).mean(),
    }


def elapsed(clock: pd.Series) -> float:
    """Seconds in all, where the clock may have started again at 0 after a resume."""
    steps = clock.diff()
    return float(steps.where(steps >= 0, clock).sum())


def run_of_log(path: str | Path) -> str:
    return Path(path).parent.name


def read_summary(path: str | Path) -> pd.DataFrame:
    """summary.csv with the types of columns.py; a missing text is ""."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except pd.errors.EmptyDataError:
        raise UserError(f"{path}: empty; expected the table that summarize.py writes") from None
    missing = [name for name in NAMES if name not in frame.columns]
    if missing:
        raise UserError(f"{path}: no column {missing[0]!r}; make it again with summarize.py")
    frame = frame[list(NAMES)].mask(frame[list(NAMES)] == "")
    for column in COLUMNS:
        if column.kind == "boolean":
            frame[column.name] = frame[column.name].map({"True": True, "False": False})
    return typed(frame)


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Each column in the type of its kind, rows sorted by what they measure."""
    for column in COLUMNS:
        values = frame[column.name]
        if column.kind == "text":
            frame[column.name] = values.astype(object).where(values.notna(), "").astype(str)
        elif column.kind == "boolean":
            frame[column.name] = values.astype("boolean")
        else:
            numbers = pd.to_numeric(values)
            frame[column.name] = numbers.astype("Int64" if column.kind == "integer" else "Float64")
    key = ["run", "engine", "precision", "scenario", "batch_size", "threads", "repeat"]
    return frame.sort_values(key, kind="stable", key=rank).reset_index(drop=True)


def rank(values: pd.Series) -> pd.Series:
    """Sort precisions from exact to coarse, engines with PyTorch, the reference, first."""
    first = {"precision": ["fp32", "tf32", "bf16", "fp16", "int8"], "engine": ["torch"]}
    names = first.get(str(values.name))
    if names is None:
        return values
    return values.map(lambda name: f"{names.index(name) if name in names else len(names)} {name}")


def accuracy_rows(summary: pd.DataFrame) -> pd.DataFrame:
    """One row per (run, engine, precision) that was scored."""
    scored = ours(summary).loc[lambda rows: rows["f1"].notna()]
    return scored.drop_duplicates(["run", "engine", "precision"]).reset_index(drop=True)


def cell_rows(summary: pd.DataFrame, modes: Sequence[str] = WITH_LATENCY) -> pd.DataFrame:
    """The rows that hold a measured benchmark cell of these modes: as a rule the one in which a
    batch has a size and a latency."""
    own = ours(summary)
    return own[own["mode"].isin(modes) & (own["refused"] == "")].reset_index(drop=True)


def refused_rows(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows of benchmark cells that were not run; `refused` says why."""
    return ours(summary).loc[lambda rows: rows["refused"] != ""].reset_index(drop=True)


def run_rows(summary: pd.DataFrame) -> pd.DataFrame:
    """One row per run."""
    return ours(summary).drop_duplicates("run").reset_index(drop=True)


def ours(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows of our own runs; those of the Model Zoo stand beside them in a section of their own
    (guide.py) and in none of the figures."""
    return summary[summary["engine"] != MODELZOO]


def modelzoo_rows(summary: pd.DataFrame) -> pd.DataFrame:
    """One row per step of the Model Zoo."""
    return summary[summary["engine"] == MODELZOO].reset_index(drop=True)


def medians(summary: pd.DataFrame, modes: Sequence[str] = WITH_LATENCY) -> pd.DataFrame:
    """One row per measured cell of these modes: the median of every measurement over its repeats,
    and their number."""
    cells = cell_rows(summary, modes)
    numbers = [
        column.name
        for column in COLUMNS
        if column.kind in ("integer", "number") and column.name not in (*CELL_KEY, "repeat")
    ]
    groups = cells.groupby(list(CELL_KEY), dropna=False, sort=False)
    result = groups[numbers].median()
    for name in ("native", "passed"):
        result[name] = groups[name].first()
    result["repeats"] = groups.size()
    return result.reset_index()


def is_emulated(native: pd.Series) -> bool:
    """Whether any of these cells ran in a precision that the processor lacks."""
    return bool((~native.fillna(True)).any())


def index_by(names: Sequence[str], rows: Iterable[dict[str, Any]]) -> dict[tuple, dict[str, Any]]:
    """Rows by key; two files with the same key are an error that names both."""
    result: dict[tuple, dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        if key in result:
            raise UserError(f"{row['source']}: measures the same as {result[key]['source']}")
        result[key] = row
    return result


def configured(run: str, config: dict[str, Any] | None) -> dict[str, Any]:
    """What the configuration says of a run: its checkpoint, dataset and training precision."""
    config = config or {}
    settings = config.get("runs", {}).get(run, {})
    return {
        "checkpoint": settings.get("checkpoint") or config.get("checkpoint", ""),
        "dataset": settings.get("dataset") or config.get("dataset", ""),
        "training_precision": settings.get("precision", ""),
    }
