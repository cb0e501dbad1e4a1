"""The facts that the report opens with, found in the summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bertsquad.benchmark.modes import ENGINE_ALONE, FROM_TEXTS
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.standing import DISTURBED, LeftOut, is_false, left_out, standing
from bertsquad.reporting.summary.summary import CELL_KEY, Summary, records


@dataclass(frozen=True, slots=True)
class Speedup:
    """How many times the features per second of `faster` are those of `slower`, over the pairs of
    cells that differ in nothing else."""

    faster: str
    slower: str
    median: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Findings:
    """The answers. A part that was not measured is None or empty; rows are those of the summary.

    Nothing that is fastest, quickest or a speedup comes from a cell that is in `left_out`.
    """

    runs: list[Row]  # one per run
    accuracy: list[Row]  # one per (run, engine, precision)
    best: Row | None  # the highest F1 of what did not fail
    untrained_best: Row | None  # the highest F1 of a run of 0 steps
    precision_effect: float | None  # largest difference in F1 between precisions of one model
    served: Row | None  # from texts to answers, the most questions per second
    fastest: Row | None  # the cell with the most features per second
    quickest: Row | None  # the cell with the lowest median latency
    speedups: list[Speedup]  # of precisions over fp32
    engine_speedups: list[Speedup]  # of engines over the first
    unpadded: Speedup | None  # of real lengths over padded
    compared: list[str]  # the references that others were compared with, engine-precision
    failed: list[Row]  # rows of `accuracy` below the limit
    left_out: list[LeftOut]
    cells: int
    disturbed: list[Row]  # cells that do not count because something disturbed them
    noted: list[Row]  # cells that count, but cannot tell everything
    cpus: list[str]
    measured: list[str]  # first and last day of the benchmark, as ISO dates


def findings(summary: Summary) -> Findings:
    accuracy, cells = summary.scored, summary.cells
    batches = summary.results()
    trained = accuracy[accuracy["train_steps"].fillna(0) > 0]
    untrained = accuracy[accuracy["train_steps"].fillna(0) == 0]
    days = sorted({str(moment)[:10] for moment in cells["started_at"] if moment})
    scored = records(accuracy)
    return Findings(
        runs=records(summary.runs),
        accuracy=scored,
        best=_top(accuracy[accuracy["passed"].fillna(True)], "f1"),
        untrained_best=_top(untrained, "f1") if len(trained) else None,
        precision_effect=precision_effect(accuracy),
        served=_top(summary.results(FROM_TEXTS), "questions_per_second"),
        fastest=fastest(summary, ENGINE_ALONE),
        quickest=quickest(summary),
        speedups=speedups(batches, "precision", "fp32"),
        engine_speedups=speedups(batches, "engine"),
        unpadded=_speedup(batches, "padding", "none", "max_length"),
        compared=sorted(set(accuracy["reference"]) - {""}),
        failed=[row for row in scored if is_false(row["passed"])],
        left_out=left_out(summary),
        cells=len(cells),
        disturbed=[row for row in records(cells) if standing(row) == DISTURBED],
        noted=[
            row for row in records(cells) if row["validity"] == "valid" and row["validity_reasons"]
        ],
        cpus=sorted(set(cells["cpu"]) - {"", "unknown"}),
        measured=[days[0], days[-1]] if days else [],
    )


def fastest(summary: Summary, modes: Sequence[str]) -> Row | None:
    """The result of these modes with the most features per second."""
    return _top(summary.results(modes), "features_per_second")


def quickest(summary: Summary) -> Row | None:
    """The batch with the lowest median latency."""
    return _top(summary.results(), "latency_p50_ms", smallest=True)


def _top(frame: pd.DataFrame, column: str, *, smallest: bool = False) -> Row | None:
    """The row with the largest (or smallest) value; the first of equals."""
    known = frame[frame[column].notna()]
    if known.empty:
        return None
    values = known[column].astype(float)
    return records(known.loc[[values.idxmin() if smallest else values.idxmax()]])[0]


def speedups(typical: pd.DataFrame, column: str, slower: str | None = None) -> list[Speedup]:
    """Of everything in a column over `slower`, or over the first in it."""
    names = list(typical[column].unique())
    slower = slower or next(iter(names), "")
    found = [_speedup(typical, column, name, slower) for name in names if name != slower]
    return [each for each in found if each is not None]


def _speedup(typical: pd.DataFrame, column: str, faster: str, slower: str) -> Speedup | None:
    """Compare cells that differ in `column` alone. Where several scenarios have the same padding,
    the best of each side counts."""
    same = [name for name in CELL_KEY if name != column]
    if column == "padding":
        same.remove("scenario")
    best = typical.groupby([*same, column], sort=False)["features_per_second"].max().unstack(column)
    if faster not in best or slower not in best:
        return None
    ratios = (best[faster] / best[slower]).dropna().astype(float)
    if ratios.empty:
        return None
    return Speedup(faster, slower, ratios.median(), ratios.min(), ratios.max(), pairs=len(ratios))


def precision_effect(accuracy: pd.DataFrame) -> float | None:
    """The largest spread of F1, in points, among the precisions and engines of one run."""
    groups = accuracy.groupby("run")["f1"]
    several = groups.nunique(dropna=True)[groups.size() > 1]
    if several.empty:
        return None
    return float((groups.max() - groups.min())[several.index].max())


def constant_columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Of these columns, those with one value in all rows: said once, not in every row."""
    return {
        name: rows[0][name]
        for name in names
        if rows and all(row[name] == rows[0][name] for row in rows)
    }
