"""Gather the speed of every engine into a table, a figure, and a page for the terminal.

Example:
    python scripts/summarize_speed.py --ceilings results/speed/ceilings.json \\
        --model-config results/resources/speed/model/config.json \\
        --cells results/speed/*/benchmark/*/*.json --table results/speed/speed.csv \\
        --figure results/speed/speed.svg --text results/speed/speed.txt
"""

import argparse
from pathlib import Path

from bertsquad.console.arguments import command_parser
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--ceilings", required=True, metavar="JSON", help="what measure_ceilings.py wrote")
    add("--model-config", required=True, metavar="JSON", help="config.json of the model")
    add(
        "--cells",
        required=True,
        nargs="+",
        metavar="JSON",
        help="of scenarios offline, padded and requests, by benchmark_inference.py",
    )
    add("--machine", default="", metavar="NAME", help="its kind, where there are several")
    add("--table", required=True, type=Path, metavar="CSV", help="the table to write")
    add("--figure", required=True, type=Path, metavar="SVG", help="the figure to draw")
    add("--text", required=True, type=Path, metavar="TXT", help="what to print, to write")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.files import read_json, write_text
    from bertsquad.own_json import as_written
    from bertsquad.reporting import style
    from bertsquad.reporting.figures import speed as figure
    from bertsquad.reporting.summary.result_files import read_object
    from bertsquad.reporting.summary.speed import as_text, of_machine, speed_table

    ceilings, cells = read_object(args.ceilings), list(map(read_object, args.cells))
    model = read_json(args.model_config)
    with as_written(args.ceilings, *args.cells):
        table = speed_table(cells, ceilings, model)
        text = as_text(table, ceilings)
        title = figure.TITLE
        if args.machine:
            text = f"{of_machine(args.machine, cells)}\n{text}"
            title = f"{title}, machine {args.machine}"
        with style.styled():
            style.save(figure.draw(table), args.figure, title)
    write_text(args.table, table.to_csv(index=False))
    write_text(args.text, text + "\n")


if __name__ == "__main__":
    exit_with(main)
