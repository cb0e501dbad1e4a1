"""The tables of the report, as text that is ready to be set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bertsquad.console.quantities import duration, readable_bytes
from bertsquad.reporting.formats import score, short, tiny, whole
from bertsquad.reporting.page.findings import Findings, constant_columns
from bertsquad.reporting.page.reasons import in_plain_words
from bertsquad.reporting.summary.columns import Row
from bertsquad.reporting.summary.comparisons import Change
from bertsquad.reporting.summary.standing import (
    DISTURBED,
    EMULATED,
    FAILED,
    is_false,
    percent,
    standing,
)

MISSING = "–"


@dataclass(frozen=True, slots=True)
class Cell:
    """One table cell: what is read, and what it is sorted by (None: by the text)."""

    text: str
    order: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table with numbers to the right. `common` is what all rows share, said in the caption;
    `marks` are the rows' standings (standing.py), "" for a result; none where all are results."""

    heads: list[tuple[str, str]]  # label, unit
    numeric: list[bool]
    rows: list[list[Cell]]
    common: list[tuple[str, str]]
    marks: Sequence[str] = ()


def signed(value: float) -> str:
    """+0.12, −0.30; 0.00 has no sign."""
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


# Label, unit, and how a number is written (None: text).
_Heading = tuple[str, str, Callable[[Any], str] | None]

# By column of summary.csv.
_CELL_COLUMNS: dict[str, _Heading] = {
    "machine": ("machine", "", None),
    "run": ("run", "", None),
    "engine": ("engine", "", None),
    "precision": ("precision", "", None),
    "scenario": ("scenario", "", None),
    "batch_size": ("batch", "", whole),
    "layout": ("layout", "", None),
    "load": ("load", "", None),
    "note": ("note", "", None),
    "threads": ("threads", "", whole),
    "threads_requested": ("asked", "threads", None),
    "repeat": ("repeat", "", whole),
    "questions_per_second": ("questions", "1/s", short),
    "features_per_second": ("features", "1/s", short),
    "useful_tokens_per_second": ("tokens", "1/s", short),
    "latency_p50_ms": ("p50", "ms", short),
    "latency_p90_ms": ("p90", "ms", short),
    "latency_p95_ms": ("p95", "ms", short),
    "latency_p99_ms": ("p99", "ms", short),
    "latency_max_ms": ("slowest", "ms", short),
    "arrival_rate": ("arrivals", "1/s", short),
    "capacity_per_second": ("capacity", "1/s", short),
    "twin_p99_ms": ("twin’s p99", "ms", short),
    "twin": ("twin", "", None),
    "overhead": ("overhead", "%", lambda value: f"{value:.1f}"),
    "peak_memory_mib": ("memory", "MiB", whole),
    "model_load_s": ("load", "s", short),
    "first_inference_s": ("first batch", "s", short),
    "iterations": ("batches", "", whole),
}
_IDENTITY = (
    "machine",
    "run",
    "engine",
    "precision",
    "scenario",
    "batch_size",
    "threads",
    "repeat",
    "iterations",
)
_ACCURACY_COLUMNS: dict[str, _Heading] = {
    "run": ("run", "", None),
    "engine": ("engine", "", None),
    "precision": ("precision", "", None),
    "verdict": ("verdict", "", None),
    "exact_match": ("exact match", "%", score),
    "exact_match_interval": ("interval", "other questions on these articles", None),
    "exact_match_articles": ("interval", "other articles", None),
    "f1": ("F1", "%", score),
    "f1_interval": ("interval", "other questions on these articles", None),
    "f1_articles": ("interval", "other articles", None),
    "has_answer_exact_match": ("exact match", "% of answerable", lambda value: f"{value:.2f}"),
    "has_answer_f1": ("F1", "% of answerable", lambda value: f"{value:.2f}"),
    "has_answer_interval": ("interval", "other questions on these articles", None),
    "no_answer_f1": ("no answer", "% of unanswerable", lambda value: f"{value:.2f}"),
    "no_answer_interval": ("interval", "other questions on these articles", None),
    "best_f1": ("best F1", "% by another threshold", lambda value: f"{value:.2f}"),
    "best_f1_threshold": ("threshold", "of best F1", lambda value: f"{value:.3f}"),
    "share": ("F1 share", "% of FP32’s", lambda value: f"{value:.2f}"),
    "changed_answers": ("answers", "changed", whole),
    "questions": ("questions", "", whole),
    "unanswered": ("unanswered", "", whole),
    "official_script": ("official script", "", None),
}
_CHANGE_COLUMNS: dict[str, _Heading] = {
    "run": ("run", "", None),
    "engine": ("engine", "", None),
    "precision": ("precision", "", None),
    "f1_difference": ("F1", "points", signed),
    "f1_interval": ("interval", "other questions on these articles", None),
    "f1_articles": ("interval", "other articles", None),
    "gate": ("verdict", "", None),
    "changed_answers": ("answers", "changed", whole),
    "changed_answers_normalized": ("of them", "normalised", whole),
    "better": ("better", "", whole),
    "worse": ("worse", "", whole),
    "spans": ("best spans", "% moved", lambda value: f"{value:.2f}"),
    "max_logit_difference": ("logits", "by up to", tiny),
}
_TRAINING_COLUMNS: dict[str, _Heading] = {
    "run": ("run", "", None),
    "training_precision": ("precision", "", None),
    "checkpoint": ("checkpoint", "", None),
    "train_steps": ("steps", "", whole),
    "train_examples": ("examples", "", whole),
    "train_tokens": ("tokens", "", whole),
    "train_threads": ("threads", "", whole),
    "train_seconds": ("time", "", duration),
    "train_tokens_per_second": ("speed", "tokens/s", whole),
    "train_final_loss": ("final loss", "", short),
}


def table(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, _Heading],
    lifted: Sequence[str] = (),
    marks: Sequence[str] = (),
) -> Table:
    """`rows` (by column name) as a table; of the `lifted` columns, those that are the same in every
    row go into the caption, and columns without any value go away."""
    common = constant_columns(rows, lifted) if len(rows) > 1 else {}
    empty = [name for name in columns if all(row[name] in (None, "") for row in rows)]
    names = [name for name in columns if name not in common and name not in empty]
    return Table(
        heads=[columns[name][:2] for name in names],
        numeric=[columns[name][2] is not None for name in names],
        rows=[[cell(row[name], columns[name][2]) for name in names] for row in rows],
        common=[
            (columns[name][0], cell(value, columns[name][2]).text)
            for name, value in common.items()
            if name not in empty
        ],
        marks=marks,
    )


def cell(value: Any, write: Callable[[Any], str] | None) -> Cell:
    """A value as text; a missing one as a dash."""
    if value is None or value == "":
        return Cell(MISSING, float("-inf"))
    return Cell(str(value)) if write is None else Cell(write(value), float(value))


def accuracy_table(found: Findings) -> Table:
    rows = [
        row
        | {
            "exact_match_interval": _interval(row["exact_match_low"], row["exact_match_high"]),
            "f1_interval": _interval(row["f1_low"], row["f1_high"]),
            "exact_match_articles": _interval(
                row["exact_match_low_articles"], row["exact_match_high_articles"]
            ),
            "f1_articles": _interval(row["f1_low_articles"], row["f1_high_articles"]),
            "has_answer_interval": _interval(row["has_answer_f1_low"], row["has_answer_f1_high"]),
            "no_answer_interval": _interval(row["no_answer_f1_low"], row["no_answer_f1_high"]),
            "share": None if row["f1_share"] is None else 100 * row["f1_share"],
            "verdict": _verdict(row, found),
        }
        for row in found.accuracy
    ]
    marks = [FAILED if is_false(row["passed"]) else "" for row in rows]
    shared = ("run", "engine", "questions", "unanswered", "official_script")
    return table(rows, _ACCURACY_COLUMNS, shared, marks)


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.1f} to {high:.1f}"


def _signed_interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{signed(low)} to {signed(high)}"


def _verdict(row: Row, found: Findings) -> str:
    """The result of the comparison with FP32, in words."""
    if row["passed"] is None:
        return "reference" if f"{row['engine']}-{row['precision']}" in found.compared else ""
    if row["gate"] == "cannot tell":
        limit = percent(row["minimum_f1_share"] or 0, digits=None)
        return f"cannot tell whether below {limit}: the interval holds it"
    if row["passed"]:
        return "passed"
    return f"failed: below {percent(row['minimum_f1_share'] or 0, digits=None)}"


def change_table(changes: Sequence[Change]) -> Table:
    """What each engine and precision changes against FP32."""
    rows = [
        change.numbers
        | {
            "run": change.run,
            "engine": change.engine,
            "precision": change.precision,
            "f1_interval": _signed_interval(change.numbers["f1_low"], change.numbers["f1_high"]),
            "f1_articles": _signed_interval(
                change.numbers["f1_low_articles"], change.numbers["f1_high_articles"]
            ),
            "spans": 100 * change.numbers["changed_spans_share"],
        }
        for change in changes
    ]
    marks = ["" if change.numbers["passed"] else FAILED for change in changes]
    return table(rows, _CHANGE_COLUMNS, ("run", "engine"), marks)


def training_table(found: Findings) -> Table:
    trained = [row for row in found.runs if row["train_steps"]]
    return table(trained, _TRAINING_COLUMNS, ("checkpoint",))


def cell_table(cells: Sequence[Row]) -> Table:
    counts = {row["threads"] for row in cells}
    asked = {(row["threads"], row["threads_requested"]) for row in cells}
    columns = dict(_CELL_COLUMNS)
    if len(asked) == len(counts):  # else `all` is the same number as another, and rows look alike
        del columns["threads_requested"]
    rows = [
        row
        | {
            "note": note(row),
            "overhead": None if row["overhead_share"] is None else 100 * row["overhead_share"],
        }
        for row in cells
    ]
    marks = ["refused" if row["refused"] else standing(row) for row in cells]
    return table(rows, columns, _IDENTITY, marks)


def note(row: Row) -> str:
    """Why a cell is not a result, in words; "" for one that is."""
    if row["refused"]:
        return f"not run: {row['refused']}"
    found = {
        FAILED: "failed: F1 too low",
        EMULATED: "emulated here",
        DISTURBED: f"{row['validity']}: {in_plain_words(row['validity_reasons'] or '')}",
    }.get(standing(row), "")
    again = "measured twice" if (row["tries"] or 1) > 1 else ""
    return "; ".join(filter(None, (found, again)))


@dataclass(frozen=True, slots=True)
class Setting:
    """One hyperparameter over all runs."""

    name: str
    values: list[str]
    differs: bool


def run_settings(config: dict[str, Any]) -> tuple[list[str], list[Setting]]:
    """The runs' names, and every hyperparameter of theirs; those that differ come first."""
    runs = config.get("runs", {})
    names = dict.fromkeys(name for run in runs.values() for name in run)
    settings = []
    for name in names:
        values = [plain(run.get(name)) for run in runs.values()]
        settings.append(Setting(name, values, differs=len(set(values)) > 1))
    return list(runs), sorted(settings, key=lambda setting: not setting.differs)


def plain(value: Any) -> str:
    """A value of the configuration as one writes it there."""
    if value is None:
        return "as in the checkpoint"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and 0 < abs(value) < 1e-3:
        digits, _, exponent = f"{value:e}".partition("e")
        return f"{float(digits):.12}e{int(exponent)}"
    if isinstance(value, list):
        return ", ".join(plain(each) for each in value)
    return str(value)


@dataclass(frozen=True, slots=True)
class Source:
    """One input file: what it is, where it came from, what it may be used for."""

    name: str
    description: str
    sha256: str
    size: str
    license: str
    citation: str
    url: str  # "" unless it is a web address


def sources(inputs: dict[str, Any]) -> list[Source]:
    """The input files by name, from inputs.json."""
    found = []
    for name, entry in sorted(inputs.items()):
        urls = [entry.get("url") or "", *(entry.get("urls") or [])]
        web = [url for url in urls if str(url).startswith(("https://", "http://"))]
        found.append(
            Source(
                name=name,
                description=entry.get("description") or "",
                sha256=entry.get("sha256") or "",
                size=readable_bytes(entry["bytes"]) if entry.get("bytes") is not None else MISSING,
                license=entry.get("license") or "not stated",
                citation=entry.get("citation") or "",
                url=web[0] if web else "",
            )
        )
    return found
