"""Gather comparisons into a table, and print it with the noise floor of the machine.

Example:
    python scripts/show_comparisons.py --comparisons results/comparisons/*.json \\
        --noise results/noise.json --table results/comparisons.csv
"""

import argparse
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with

NOTHING = "no comparisons: name pairs of cells under `comparisons` (config/README.md)"


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--comparisons", type=Path, nargs="*", default=[], help="files of compare_speed.py")
    add("--noise", type=Path, nargs="*", default=[], metavar="JSON", help="the file of noise.py")
    add("--table", type=Path, metavar="CSV", help="table to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.files import write_text
    from bertsquad.reporting import verdicts

    found = [verdicts.read(path) for path in args.comparisons]
    if args.table:
        write_text(args.table, verdicts.as_csv(found))
    if not found:
        print(NOTHING)
        return
    print(*verdicts.table(found), sep="\n")
    print(verdicts.noise_line(verdicts.read_noise(args.noise)))


if __name__ == "__main__":
    exit_with(main)
