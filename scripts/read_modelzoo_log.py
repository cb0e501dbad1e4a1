"""Make JSON of what the Model Zoo's launcher printed: speed, steps, loss, scores.

Example:
    python scripts/read_modelzoo_log.py --log results/modelzoo/benchmark/launcher.log \\
        --run results/modelzoo/benchmark/run.json --output results/modelzoo/benchmark/result.json
"""

import argparse
import sys
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--log", type=Path, required=True, help="the launcher's log")
    parser.add_argument("--run", type=Path, required=True, help="run.json beside it")
    parser.add_argument("--output", type=Path, required=True, help="JSON to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.files import read_json, write_json
    from bertsquad.modelzoo import cell
    from bertsquad.modelzoo.log import read_log

    run = cell.checked_run(args.run, read_json(args.run))
    lines = args.log.read_text(encoding="utf-8", errors="replace").splitlines()
    arrivals = cell.Arrivals(**run["arrivals"])
    mode = run["settings"]["mode"]
    result = cell.description(mode, read_log(lines), arrivals, run["settings"], run["surroundings"])
    write_json(args.output, result)
    print(f"{args.output}: {cell.headline(mode, result)}", file=sys.stderr)


if __name__ == "__main__":
    exit_with(main)
