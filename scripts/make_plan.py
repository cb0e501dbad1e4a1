"""Plan which machines serve a demand within an SLO: plan.json, a page for the terminal, a figure.

Example:
    python scripts/make_plan.py --plan '{"rate": 80, ...}' --source config.yaml \\
        --cells here results/cells.json --json results/plan/plan.json \\
        --text results/plan/plan.txt --figure results/plan/plan.svg
"""

import argparse
from pathlib import Path

from bertsquad.console.arguments import add_machine_cells, command_parser
from bertsquad.console.errors import UserError, exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--plan", required=True, metavar="JSON", help="the configuration's `plan`, resolved")
    add("--source", default="config", metavar="FILE", help="which file that is from, for messages")
    add_machine_cells(parser)
    add("--json", required=True, type=Path, metavar="FILE", help="the plan, to write")
    add("--text", required=True, type=Path, metavar="FILE", help="the page, to write")
    add("--figure", required=True, type=Path, metavar="SVG", help="the figure, to draw")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.files import write_json, write_text
    from bertsquad.planner.cells import read
    from bertsquad.planner.figure import TITLE, draw
    from bertsquad.planner.page import as_text
    from bertsquad.planner.planning import make_plan
    from bertsquad.planner.wanted import parsed
    from bertsquad.reporting import style

    asked = parsed(args.plan, "--plan", args.source)
    files = {machine: read(path) for machine, path in args.cells}
    missing = [name for name in asked.machines if name not in files]
    if missing:
        raise UserError(f"--cells: none for the machine {missing[0]}")
    plan = make_plan({name: files[name] for name in asked.machines}, asked)
    text = as_text(plan)
    with style.styled():
        style.save(draw(plan), args.figure, TITLE)
    write_text(args.text, text)
    write_json(args.json, plan)
    print(text, end="")


if __name__ == "__main__":
    exit_with(main)
