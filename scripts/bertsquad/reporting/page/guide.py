"""The guide as run, as meant, and us: the Model Zoo's figures beside those of our own runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from bertsquad.reporting.formats import short
from bertsquad.reporting.page.sections import MISSING, Cell, Table, cell
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.summary import Summary, records


@dataclass(frozen=True, slots=True)
class Comparison:
    """One quantity three times. None: the guide does not print it, or we have nothing like it."""

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


def comparisons(summary: Summary) -> list[Comparison]:
    """Every quantity that the Model Zoo's steps measured: training, speed, accuracy; empty without
    them."""
    found = []
    for row in sorted(records(summary.steps), key=rank):
        found += [*speeds(row, summary), *scores(row, summary)]
    return found


def rank(row: Row) -> tuple[bool, bool]:
    return not row["train_examples_per_second"], not row["features_per_second"]


def speeds(row: Row, summary: Summary) -> Iterator[Comparison]:
    """The rates of a step: examples trained on per second, or features answered per second."""
    step = row["run"].partition(":")[2]
    if row["train_examples_per_second"]:
        run = _best_run(summary, row["precision"])
        yield Comparison(
            *(f"{row['precision']}, all processes", "examples/s", step),
            *(None, row["train_examples_per_second"]),
            *((run["train_examples_per_second"], run["run"]) if run else (None, "")),
        )
    if row["features_per_second"]:
        what = f"{row['precision']}, batch {row['batch_size']}"
        printed, meant = row["printed_features_per_second"], row["features_per_second"]
        for padding, words in (("max_length", "padded"), ("none", "at real lengths")):
            cell = _best_cell(summary, row, padding)
            if cell is not None:
                which = f"{cell['run']}, {words}, batch {cell['batch_size']}"
                rate = cell["features_per_second"]
                yield Comparison(what, "features/s", step, printed, meant, rate, which)
            elif padding == "max_length":
                yield Comparison(what, "features/s", step, printed, meant, None)
        if row["observed_features_per_second"]:
            seen = row["observed_features_per_second"]
            yield Comparison(f"{what} by its log", "features/s", step, printed, seen, None)


def scores(row: Row, summary: Summary) -> Iterator[Comparison]:
    """The scores of a step that predicted: exact match and F1, which the guide never computes."""
    if row["f1"] is None:
        return
    step = row["run"].partition(":")[2]
    best = _best_scored(summary, row["checkpoint"], trained=bool(row["train_steps"]))
    which = f"{best['run']}, {best['engine']} {best['precision']}" if best else ""
    exact_match, f1 = (best["exact_match"], best["f1"]) if best else (None, None)
    yield Comparison("exact match", "%", step, None, row["exact_match"], exact_match, which)
    yield Comparison("F1", "%", step, None, row["f1"], f1, which)


def _best_run(summary: Summary, precision: str) -> Row | None:
    """Our run that trained fastest in a precision."""
    same = [
        run
        for run in records(summary.runs)
        if run["training_precision"] == precision and run["train_examples_per_second"]
    ]
    return max(same, key=lambda run: run["train_examples_per_second"] or 0, default=None)


def _best_cell(summary: Summary, row: Row, padding: str) -> Row | None:
    """Our fastest cell of the same precision and length and this padding; of the same batch size,
    where there is one."""
    cells = [
        each
        for each in records(summary.results())
        if each["padding"] == padding
        and each["precision"] == row["precision"]
        and each["max_seq_length"] == row["max_seq_length"]
    ]
    same = [each for each in cells if each["batch_size"] == row["batch_size"]]
    return max(same or cells, key=lambda each: each["features_per_second"] or 0, default=None)


def _best_scored(summary: Summary, checkpoint: str, *, trained: bool) -> Row | None:
    """Our best score with a checkpoint, trained here or as it came."""
    rows = [
        each
        for each in records(summary.scored)
        if each["checkpoint"] == checkpoint and bool(each["train_steps"]) == trained
    ]
    return max(rows, key=lambda each: each["f1"] or 0, default=None)


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
