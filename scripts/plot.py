"""Draw the figures: training loss, accuracy, throughput, latency, offline, lengths of features.

Example:
    python scripts/plot.py --summary results/summary.csv --logs results/*/training_log.jsonl \\
        --features results/resources/features/*-dev/*.safetensors --output-dir results/figures
"""

import argparse
import sys
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--summary", type=Path, required=True, help="the table that summarize.py writes"
    )
    parser.add_argument(
        "--logs", type=Path, nargs="*", default=[], help="files .../{run}/training_log.jsonl"
    )
    parser.add_argument(
        "--features", type=Path, nargs="*", default=[], help="features files whose lengths to show"
    )
    parser.add_argument(
        "--output-dir",
        type=Path,
        required=True,
        help="folder for the SVG files, each named after its figure",
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.reporting import style
    from bertsquad.reporting.figures import (
        accuracy,
        latency,
        lengths,
        offline,
        throughput,
        training_loss,
    )
    from bertsquad.reporting.summary import tables

    summary = tables.read_summary(args.summary)
    logs = {tables.run_of_log(path): tables.read_training_log(path) for path in args.logs}
    measured = [lengths.read(path) for path in args.features]
    jobs = {
        "training_loss": (training_loss, logs),
        "accuracy": (accuracy, summary),
        "offline": (offline, summary),
        "throughput": (throughput, summary),
        "latency": (latency, summary),
        "lengths": (lengths, measured),
    }
    with style.styled():
        for name, (figure, data) in jobs.items():
            path = args.output_dir / f"{name}.svg"
            style.save(figure.draw(data), path, figure.TITLE)
            print(path, file=sys.stderr)


if __name__ == "__main__":
    exit_with(main)
