"""Where the time goes between the processor's peak and the answers, as a table and a figure.

Example:
    python scripts/show_waterfall.py --measured results/demo/torch-fp32/waterfall.json \\
        --comparisons results/demo/torch-bf16/comparison.json \\
        --json results/waterfall/waterfall.json --text results/waterfall/waterfall.txt \\
        --figure results/waterfall/waterfall.svg
"""

import argparse
from pathlib import Path
from typing import Any

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--measured", required=True, type=Path, nargs="+", help="files of measure_waterfall.py")
    add("--comparisons", type=Path, nargs="*", default=[], help="files of compare_answers.py")
    add("--served", type=Path, nargs="*", default=[], help="cells of scenarios under load")
    add("--json", required=True, type=Path, metavar="FILE", help="the chains, to write")
    add("--text", required=True, type=Path, metavar="FILE", help="the tables, to write")
    add("--figure", required=True, type=Path, metavar="SVG", help="the figure, to draw")
    return parser.parse_args()


def by_folder(paths: list[Path], levels: int) -> dict[Path, list[Any]]:
    """The files' contents by the folder of their engine and precision, `levels` above them."""
    from bertsquad.reporting.summary.result_files import read_object

    found: dict[Path, list[Any]] = {}
    for path in paths:
        found.setdefault(path.parents[levels], []).append(read_object(path))
    return found


def main() -> None:
    args = parse_args()
    from bertsquad.files import write_json, write_text
    from bertsquad.own_json import as_written
    from bertsquad.reporting import style
    from bertsquad.reporting.summary.result_files import read_object
    from bertsquad.reporting.waterfall.chains import shown
    from bertsquad.reporting.waterfall.drawing import TITLE, draw, facts
    from bertsquad.reporting.waterfall.words import as_json, as_text

    comparisons, served = by_folder(args.comparisons, 0), by_folder(args.served, 2)
    found = []
    for path in args.measured:
        [comparison] = comparisons.get(path.parent, [None])
        beside = [each for each in args.served if each.parents[2] == path.parent]
        with as_written(path, *args.comparisons, *beside):
            found.append(shown(read_object(path), comparison, served.get(path.parent, [])))
    with as_written(*args.measured):
        text, data = as_text(found), as_json(found)
        with style.styled():
            style.save(draw(found), args.figure, TITLE, facts(found))
    write_text(args.text, text)
    write_json(args.json, data)
    print(text, end="")


if __name__ == "__main__":
    exit_with(main)
