"""Write the page and the figure of `make bench` from the works it has measured.

Example:
    python scripts/report_bench.py --results results/bench \\
        --page docs/results/benchmarks.md --figure docs/results/benchmarks.svg
"""

import argparse
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import UserError, exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--results", type=Path, required=True, help="folder of benchmark_peers.py")
    add("--page", type=Path, required=True, help="Markdown file to write")
    add("--figure", type=Path, required=True, help="SVG file to write, in the same folder")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.files import read_json, write_text
    from bertsquad.own_json import as_written
    from bertsquad.peers import figure
    from bertsquad.peers.contenders import works
    from bertsquad.peers.page import page
    from bertsquad.reporting import style

    paths = [args.results / f"{work.name}.json" for work in works()]
    measured = [read_json(path) for path in paths if path.exists()]
    if not measured:
        raise UserError(
            f"{args.results}: no work is measured; run benchmark_peers.py, or make bench"
        )
    with as_written(*(path for path in paths if path.exists())):
        text = page(measured, args.figure.name)
        with style.styled():
            style.save(figure.draw(measured), args.figure, figure.TITLE)
    write_text(args.page, text)
    print(args.page)


if __name__ == "__main__":
    exit_with(main)
