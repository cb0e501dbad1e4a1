"""The guide as run, as meant, and us: the Model Zoo's figures beside those of our own runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bertsquad.benchmark.modes import WITH_LATENCY
from bertsquad.reporting.formats import short
from bertsquad.reporting.page.findings import records
from bertsquad.reporting.page.sections import MISSING, Cell, Table, cell
from bertsquad.reporting.summary.standing import best_cells
from bertsquad.reporting.summary.tables import accuracy_rows, modelzoo_rows, run_rows


@dataclass(frozen=True, slots=True)
class Comparison:
    """One quantity three times. None: the guide does not say it, or we have nothing like it."""

    what: str
    unit: str
    step: str  # of the Model Zoo
    as_run: float | None  # as the guide's command prints it
    as_meant: float | None  # what that should have been
    ours: float | None
    which: str = ""  # of our runs or cells

    @property
    def difference(self) -> str:
        """Of ours to the guide's as meant: points of a score, or how many times a speed."""
        if self.ours is None or self.as_meant is None:
            return MISSING
        if self.unit == "%":
            return f"{self.ours - self.as_meant:+.2f} points".replace("-", "−")
        return f"{short(self.ours / self.as_meant)} ×"


def comparisons(summary: pd.DataFrame) -> list[Comparison]:
    """Every quantity that the Model Zoo's steps measured: training, speed, accuracy; empty without
    them."""
    found = []
    for row in sorted(records(modelzoo_rows(summary)), key=rank):
        found += [*speeds(row, summary), *scores(row, summary)]
    return found


def rank(row: dict[str, Any]) -> tuple[bool, bool]:
    return not row["train_examples_per_second"], not row["features_per_second"]


def speeds(row: dict[str, Any], summary: pd.DataFrame) -> Iterator[Comparison]:
    """Of a step: examples trained on per second, or features answered per second."""
    step = row["run"].partition(":")[2]
    if row["train_examples_per_second"]:
        ours = best_run(summary, row["precision"])
        rate = ours and ours["train_examples_per_second"]
        speed = row["train_examples_per_second"]
        which = ours["run"] if ours else ""
        what = f"{row['precision']}, all processes"
        yield Comparison(what, "examples/s", step, None, speed, rate, which)
    if row["features_per_second"]:
        what = f"{row['precision']}, batch {row['batch_size']}"
        printed, meant = row["printed_features_per_second"], row["features_per_second"]
        for padding, words in (("max_length", "padded"), ("none", "at real lengths")):
            ours = best_cell(summary, row, padding)
            if ours is None and padding == "none":
                continue
            rate = ours and ours["features_per_second"]
            which = f"{ours['run']}, {words}, batch {ours['batch_size']}" if ours else ""
            yield Comparison(what, "features/s", step, printed, meant, rate, which)
        if row["observed_features_per_second"]:
            seen = row["observed_features_per_second"]
            yield Comparison(f"{what} by its log", "features/s", step, printed, seen, None)


def scores(row: dict[str, Any], summary: pd.DataFrame) -> Iterator[Comparison]:
    """Of a step that predicted: exact match and F1, which the guide never computes."""
    if row["f1"] is None:
        return
    step = row["run"].partition(":")[2]
    trained = bool(row["train_steps"])
    ours = best_scored(summary, row["checkpoint"], trained=trained)
    which = f"{ours['run']}, {ours['engine']} {ours['precision']}" if ours else ""
    for name, words in (("exact_match", "exact match"), ("f1", "F1")):
        yield Comparison(words, "%", step, None, row[name], ours and ours[name], which)


def best_run(summary: pd.DataFrame, precision: str) -> dict[str, Any] | None:
    """Our run that trained fastest in a precision."""
    runs = records(run_rows(summary))
    same = [run for run in runs if run["training_precision"] == precision]
    same = [run for run in same if run["train_examples_per_second"]]
    return max(same, key=lambda run: run["train_examples_per_second"], default=None)


def best_cell(summary: pd.DataFrame, row: dict[str, Any], padding: str) -> dict[str, Any] | None:
    """Our fastest cell of the same precision and length and this padding; of the same batch size,
    where there is one."""
    cells = [
        each
        for each in records(best_cells(summary, *WITH_LATENCY))
        if each["padding"] == padding
        and all(each[name] == row[name] for name in ("precision", "max_seq_length"))
    ]
    same = [each for each in cells if each["batch_size"] == row["batch_size"]]
    return max(same or cells, key=lambda each: each["features_per_second"], default=None)


def best_scored(summary: pd.DataFrame, checkpoint: str, *, trained: bool) -> dict[str, Any] | None:
    """Our best score with a checkpoint, trained here or as it came."""
    rows = [
        each
        for each in records(accuracy_rows(summary))
        if each["checkpoint"] == checkpoint and bool(each["train_steps"]) == trained
    ]
    return max(rows, key=lambda each: each["f1"], default=None)


def guide_table(found: list[Comparison]) -> Table:
    """The comparisons, ready to be set."""
    heads = [("step", ""), ("quantity", ""), ("as run", ""), ("as meant", "")]
    heads += [("ours", ""), ("difference", ""), ("which of ours", "")]
    return Table(
        heads=heads,
        numeric=[False, False, True, True, True, True, False],
        rows=[
            [
                Cell(each.step),
                Cell(f"{each.what}, {each.unit}"),
                *(cell(value, short) for value in (each.as_run, each.as_meant, each.ours)),
                Cell(each.difference),
                Cell(each.which),
            ]
            for each in found
        ],
        common=[],
    )
