"""Gather scores, benchmark cells and training logs into one table, a row per cell.

Example:
    python scripts/summarize.py --metrics results/*/*/metrics.json \\
        --comparisons results/*/*/comparison.json \\
        --cells results/*/*/benchmark/*/*.json --logs results/*/training_log.jsonl \\
        --config results/config.json --output results/summary.csv
"""

import argparse
import sys
from pathlib import Path

from bertsquad.console.arguments import add_machines, command_parser, machine_files
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--metrics",
        type=Path,
        nargs="*",
        default=[],
        help="files .../{run}/{engine}-{precision}/metrics.json; those of a kind of machine are in "
        ".../{run}/{engine}-{precision}/machines/{machine}/",
    )
    parser.add_argument(
        "--comparisons",
        type=Path,
        nargs="*",
        default=[],
        help="files .../{run}/{engine}-{precision}/comparison.json",
    )
    parser.add_argument(
        "--cells",
        type=Path,
        nargs="*",
        default=[],
        help="files .../{engine}-{precision}/benchmark/{scenario}/batchB-threadsT-repeatR.json",
    )
    parser.add_argument(
        "--logs", type=Path, nargs="*", default=[], help="files .../{run}/training_log.jsonl"
    )
    parser.add_argument(
        "--modelzoo",
        type=Path,
        nargs="*",
        default=[],
        help="files .../modelzoo/{step}/result.json and metrics.json",
    )
    parser.add_argument(
        "--config", type=Path, help="resolved configuration: names each run's checkpoint, dataset"
    )
    add_machines(parser, "the machine.json that cells are held against")
    parser.add_argument("--output", type=Path, required=True, help="CSV to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.files import read_json, write_text
    from bertsquad.reporting.summary.result_files import read_object
    from bertsquad.reporting.summary.tables import summarize

    config = read_json(args.config) if args.config else None
    machines = {name: read_object(path) for name, path in machine_files(args).items()}
    summary = summarize(
        *(args.metrics, args.cells, args.logs, config, args.modelzoo, args.comparisons, machines)
    )
    write_text(args.output, summary.to_csv(index=False))
    print(f"{args.output}: {len(summary)} rows", file=sys.stderr)


if __name__ == "__main__":
    exit_with(main)
