"""summary.csv in memory, read once: what plot.py, report.py and show_results.py take."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import pandas as pd

from bertsquad.benchmark.modes import MODES, WITH_LATENCY
from bertsquad.console.errors import UserError
from bertsquad.reporting.summary.columns import COLUMNS, NAMES, Row

# What identifies a measurement. Not `threads_requested`: where `all` means 2 threads, a cell of 2
# threads and one of `all` are two repeats of one measurement.
CELL_KEY = (
    *("run", "engine", "precision", "scenario", "mode", "padding", "batch_size", "threads"),
    *("layout", "load", "machine"),
)
# The engine's name in rows of Intel's Model Zoo; `modelzoo:train` cannot be the name of a run.
MODELZOO = "modelzoo"


@dataclass(frozen=True)
class Summary:
    """The table and its parts. Steps of the Model Zoo are in `steps`, in no other part."""

    table: pd.DataFrame  # every row, its columns in the types of columns.Row

    @classmethod
    def read(cls, path: str | Path) -> "Summary":
        """A file that summarize.py wrote; `UserError` where it is missing or another table."""
        try:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        except FileNotFoundError:
            raise UserError(f"{path}: no such file; run the workflow first") from None
        except pd.errors.EmptyDataError:
            raise UserError(f"{path}: empty; expected the table that summarize.py writes") from None
        except (UnicodeDecodeError, pd.errors.ParserError) as error:
            raise UserError(
                f"{path}: not a table in UTF-8 ({error}); make it again with summarize.py"
            ) from None
        missing = [name for name in NAMES if name not in frame.columns]
        if missing:
            raise UserError(f"{path}: no column {missing[0]!r}; make it again with summarize.py")
        frame = frame[list(NAMES)].mask(frame[list(NAMES)] == "")
        for column in COLUMNS:
            if column.kind == "boolean":
                frame[column.name] = frame[column.name].map({"True": True, "False": False})
        try:
            return cls(typed(frame))
        except (ValueError, TypeError, OverflowError) as error:
            raise UserError(
                f"{path}: a number of the table cannot be read ({error}); make it again with "
                "summarize.py"
            ) from None

    @cached_property
    def ours(self) -> pd.DataFrame:
        """The rows of this project's runs."""
        return self.table[self.table["engine"] != MODELZOO]

    @cached_property
    def steps(self) -> pd.DataFrame:
        """One row per step of the Model Zoo."""
        return self.table[self.table["engine"] == MODELZOO].reset_index(drop=True)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row per run."""
        return self.ours.drop_duplicates("run").reset_index(drop=True)

    @cached_property
    def scored(self) -> pd.DataFrame:
        """One row per run, engine and precision that was scored."""
        scored = self.ours[self.ours["f1"].notna()]
        return scored.drop_duplicates(["run", "engine", "precision"]).reset_index(drop=True)

    @cached_property
    def refused(self) -> pd.DataFrame:
        """The benchmark cells that were not run; `refused` holds the reason."""
        return self.ours[self.ours["refused"] != ""].reset_index(drop=True)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The measured benchmark cells of all modes."""
        measured = self.ours["mode"].isin(list(MODES)) & (self.ours["refused"] == "")
        return self.ours[measured].reset_index(drop=True)

    @cached_property
    def machines(self) -> list[str]:
        """The kinds of machines that cells were measured on; none where there is one alone."""
        return sorted(set(self.ours["machine"]) - {""})

    def of_machine(self, machine: str) -> "Summary":
        """The same without the cells of other kinds of machines."""
        return Summary(self.table[self.table["machine"].isin([machine, ""])].reset_index(drop=True))

    def _by_machine(self, cells: pd.DataFrame) -> pd.DataFrame:
        """Where there are several kinds of machines, a run on each counts as a run of its own."""
        if len(self.machines) < 2:
            return cells
        named = cells["run"].where(cells["machine"] == "", cells["run"] + " on " + cells["machine"])
        return cells.assign(run=named)

    @property
    def confidence(self) -> float | None:
        """The probability that the intervals stand for; None where there is none."""
        known = self.scored["confidence"].dropna().tolist()
        return known[0] if known else None

    @property
    def repeats(self) -> int:
        """The highest number of a repeat among the cells; 0 without cells."""
        return int(self.cells["repeat"].max()) if len(self.cells) else 0

    def cells_of(self, modes: Sequence[str] = WITH_LATENCY) -> pd.DataFrame:
        """The measured cells of these modes."""
        cells = self.cells[self.cells["mode"].isin(modes)].reset_index(drop=True)
        return self._by_machine(cells)

    def medians(self, modes: Sequence[str] = WITH_LATENCY) -> pd.DataFrame:
        """One row per measurement of these modes: the median of every number over its `repeats`,
        a column of this table only, and the first of every text. Where some of its repeats are
        valid, those that were disturbed are left aside."""
        cells = self.cells_of(modes)
        valid = ~cells["validity"].isin(["disturbed", "invalid"])
        any_valid = valid.groupby([cells[name] for name in CELL_KEY], dropna=False).transform("any")
        groups = cells[valid | ~any_valid].groupby(list(CELL_KEY), dropna=False, sort=False)
        others = [column for column in COLUMNS if column.name not in (*CELL_KEY, "repeat")]
        numbers = [column.name for column in others if column.kind in ("integer", "number")]
        result = groups[numbers].median()
        for column in others:
            if column.kind in ("text", "boolean"):
                result[column.name] = groups[column.name].first()
        result["repeats"] = groups.size()
        return result.reset_index()

    def results(self, modes: Sequence[str] = WITH_LATENCY) -> pd.DataFrame:
        """The medians that count as results: neither failed nor emulated nor disturbed
        (standing.py)."""
        cells = self.medians(modes)
        valid = ~cells["validity"].isin(["disturbed", "invalid"])
        return cells[cells["passed"].fillna(True) & cells["native"].fillna(True) & valid]


def records(frame: pd.DataFrame) -> list[Row]:
    """The rows of a part of the summary; a missing number is None."""
    rows = frame.astype(object).to_dict("records")
    return cast(
        list[Row],
        [{name: None if pd.isna(value) else value for name, value in row.items()} for row in rows],
    )


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
    key = ["run", "machine", "engine", "precision", "scenario", "batch_size", "threads", "repeat"]
    return frame.sort_values(key, kind="stable", key=_rank).reset_index(drop=True)


def _rank(values: pd.Series) -> pd.Series:
    """Sort precisions from exact to coarse, engines with PyTorch, the reference, first."""
    first = {"precision": ["fp32", "tf32", "bf16", "fp16", "int8"], "engine": ["torch"]}
    names = first.get(str(values.name))
    if names is None:
        return values
    return values.map(lambda name: f"{names.index(name) if name in names else len(names)} {name}")
