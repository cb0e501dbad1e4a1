"""Show what a run of the workflow is doing, from another terminal.

Example:
    python scripts/watch.py --folder ~/bertsquad
"""

import argparse
import time
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="where Snakemake was started (default: here)"
    )
    parser.add_argument(
        "--every", type=float, default=5.0, metavar="SECONDS", help="between looks (default: 5)"
    )
    parser.add_argument("--once", action="store_true", help="look once and end")
    args = parser.parse_args()
    if args.every <= 0:
        parser.error("--every must be above 0")
    return args


def main() -> None:
    from bertsquad.console.watching import STATE, read_state

    args = parse_args()
    path = args.folder / STATE
    lines = read_state(path, time.time())
    if not lines:
        raise UserError(f"{path}: no run is going on in this folder; `make run` begins one")
    while lines:
        print("\n".join(lines), flush=True)
        if args.once:
            return
        time.sleep(args.every)
        lines = read_state(path, time.time())
    print("the run has ended")


if __name__ == "__main__":
    exit_with(main)
