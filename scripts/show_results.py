"""Print the few figures that matter from summary.csv, and where the report is.

Example:
    python scripts/show_results.py --summary results/summary.csv --report results/report.html
"""

import argparse
import csv
from pathlib import Path
from statistics import median

from bertsquad.benchmark.modes import FROM_TEXTS
from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with

CELL = ("run", "engine", "precision", "scenario", "batch_size", "threads")
MOST_MODELS = 12  # more would push the answers off a screen


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of summary.csv as text, by column name; `UserError` where it is missing or another
    table."""
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run the workflow first") from None
    needed = {*CELL, "exact_match", "f1", "features_per_second", "passed", "mode", "refused"}
    if rows and not needed <= rows[0].keys():
        raise UserError(f"{path}: not the table that summarize.py writes; make it again")
    return rows


def accuracy_lines(rows: list[dict[str, str]]) -> list[str]:
    """Exact match and F1, best F1 first: one line per (run, engine, precision)."""
    scored = {(row["run"], row["engine"], row["precision"]): row for row in rows if row["f1"]}
    if not scored:
        return []
    ordered = sorted(scored.items(), key=lambda item: -float(item[1]["f1"]))
    wide = [max(len(key[part]) for key in scored) for part in range(3)]
    lines = [
        "  "
        + "  ".join(part.ljust(width) for part, width in zip(key, wide, strict=True))
        + f"  exact match {float(row['exact_match']):5.1f} %  F1 {float(row['f1']):5.1f} %"
        + (f"  {failure(row)}" if row["passed"] == "False" else "")
        for key, row in ordered[:MOST_MODELS]
    ]
    hidden = ordered[MOST_MODELS:]
    if hidden:
        failed = sum(row["passed"] == "False" for _, row in hidden)
        more = f"  and {len(hidden)} more{f', {failed} of them failed' if failed else ''}"
        lines.append(f"{more}: see summary.csv")
    return lines


def failure(row: dict[str, str]) -> str:
    """How far a failed model is below the limit."""
    share, limit = (100 * float(row[name]) for name in ("f1_share", "minimum_f1_share"))
    return f"FAILED: {share:.1f} % of the F1 of {row['reference']}, less than {limit:g} %"


def throughput_lines(rows: list[dict[str, str]]) -> list[str]:
    """The fastest cell from texts to answers, and that of the engine alone: a line each, or none
    where nothing was timed. What failed or is emulated is never the fastest."""
    counted = [row for row in rows if "False" not in (row["passed"], row["native"])]
    whole = [row for row in counted if row["mode"] in FROM_TEXTS]
    alone = [row for row in counted if row["mode"] not in FROM_TEXTS]
    return [
        *fastest(whole, "questions_per_second", "questions/s, texts in, answers out"),
        *fastest(alone, "features_per_second", "features/s"),
    ]


def fastest(rows: list[dict[str, str]], measure: str, unit: str) -> list[str]:
    """One line: the best cell by the median of its repeats; none where nothing was measured."""
    cells: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        if row[measure]:
            key = tuple(row[name] for name in CELL)
            cells.setdefault(key, []).append(float(row[measure]))
    if not cells:
        return []
    best = max(cells, key=lambda key: median(cells[key]))
    _, engine, precision, scenario, batch, threads = best
    speed = median(cells[best])
    return [
        f"  fastest: {speed:{',.0f' if speed >= 100 else '.3g'}} {unit} ({engine} {precision}, "
        f"{scenario}, {f'batch {batch}, ' if batch else ''}"
        f"{threads} thread{'' if threads == '1' else 's'})"
    ]


def left_out_lines(rows: list[dict[str, str]]) -> list[str]:
    """Engines and precisions whose times do not count, or that were not timed, and why."""
    reasons: dict[str, str] = {}
    for row in rows:
        model = f"{row['engine']} {row['precision']}"
        if row["refused"]:
            reasons[model] = f"not timed: {row['refused']}"
        elif row["features_per_second"] and row["native"] == "False":
            reasons[model] = "emulated here, so its times say nothing"
    return [f"  {model}: {reason}" for model, reason in reasons.items()]


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--summary", type=Path, required=True, help="the table that summarize.py writes"
    )
    parser.add_argument("--report", type=Path, required=True, help="the report to point at")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    rows = read_rows(args.summary)
    if not args.report.is_file():
        raise UserError(f"{args.report}: no such file; run the workflow first")
    for line in [*accuracy_lines(rows), *throughput_lines(rows), *left_out_lines(rows)]:
        print(line)
    print(f"  report:  {args.report.resolve()}")


if __name__ == "__main__":
    exit_with(main)
