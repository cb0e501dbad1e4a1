"""Print the few figures that matter from summary.csv, and where the report is.

Example:
    python scripts/show_results.py --summary results/summary.csv --report results/report.html
"""

import argparse
import csv
from pathlib import Path
from statistics import median

from bertsquad.errors import UserError, exit_with

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
    needed = {*CELL, "exact_match", "f1", "features_per_second"}
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
        for key, row in ordered[:MOST_MODELS]
    ]
    more = len(ordered) - len(lines)
    return lines + ([f"  and {more} more: see summary.csv"] if more > 0 else [])


def throughput_lines(rows: list[dict[str, str]]) -> list[str]:
    """The fastest cell, by the median of its repeats: one line, or none where nothing was timed."""
    cells: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        if row["features_per_second"]:
            key = tuple(row[name] for name in CELL)
            cells.setdefault(key, []).append(float(row["features_per_second"]))
    if not cells:
        return []
    best = max(cells, key=lambda key: median(cells[key]))
    _, engine, precision, scenario, batch, threads = best
    speed = median(cells[best])
    return [
        f"  fastest: {speed:{',.0f' if speed >= 100 else '.3g'}} features/s ({engine} {precision}, "
        f"{scenario}, {f'batch {batch}, ' if batch else ''}"
        f"{threads} thread{'' if threads == '1' else 's'})"
    ]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    for line in [*accuracy_lines(rows), *throughput_lines(rows)]:
        print(line)
    print(f"  report:  {args.report.resolve()}")


if __name__ == "__main__":
    exit_with(main)
