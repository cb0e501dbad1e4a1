"""Draw the figures: training loss, accuracy, throughput, latency, offline, lengths, comparisons.

Example:
    python scripts/plot.py --summary results/summary.csv --logs results/*/training_log.jsonl \\
        --features results/resources/features/*-dev/*.safetensors --output-dir results/figures
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with
from bertsquad.reporting.gallery import Figure, facts_of, figures

if TYPE_CHECKING:
    from bertsquad.reporting.summary.summary import Summary

FIGURES = figures()


def draw(name: str, summary: "Summary", data: dict[str, Any], folder: Path) -> Path:
    """Draw one figure; the path of its file. `data`: what figures may be given, by READS."""
    from bertsquad.reporting import style

    # Imported by name, so that editing one figure draws that figure alone again.
    figure = cast(Figure, importlib.import_module(f"bertsquad.reporting.figures.{name}"))
    path = folder / f"{name}.svg"
    with style.styled():
        drawing = figure.draw(data[figure.READS])
        facts = {} if isinstance(drawing, str) else facts_of(figure, summary)
        style.save(drawing, path, figure.TITLE, facts)
    return path


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
        "--comparisons", type=Path, nargs="*", default=[], help="files of compare_speed.py"
    )
    parser.add_argument(
        "--cells", type=Path, nargs="*", default=[], help="files of benchmark_inference.py"
    )
    parser.add_argument("--noise", type=Path, nargs="*", default=[], help="the file of noise.py")
    parser.add_argument(
        "--figures", nargs="+", choices=list(FIGURES), default=list(FIGURES), help="which (all)"
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
    from bertsquad.reporting import verdicts
    from bertsquad.reporting.summary.summary import Summary
    from bertsquad.reporting.summary.training_log import read_training_log, run_of_log

    summary = Summary.read(args.summary)
    logs = {run_of_log(path): read_training_log(path) for path in args.logs}
    compared = [verdicts.read(path) for path in args.comparisons]
    data = {
        "summary": summary,
        "logs": logs,
        "features": args.features,
        "cells": args.cells,
        "comparisons": (compared, verdicts.read_noise(args.noise)),
    }
    paths = [draw(name, summary, data, args.output_dir) for name in args.figures]
    print(*paths, sep="\n", file=sys.stderr)


if __name__ == "__main__":
    exit_with(main)
