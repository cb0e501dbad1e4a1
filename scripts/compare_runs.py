"""Compare two runs: does one reproduce the other, and if not, where do they first part?

Examples:
    python scripts/compare_runs.py results ../other/results
    python scripts/compare_runs.py a/certificate.json b/certificate.json --require inputs,code,f1
    python scripts/compare_runs.py theirs.zip results --page compare.html --json compare.json

A and B are results folders, certificates or crates. Inputs, settings, code, environment, results,
F1, speed and doubts get a verdict each, with its evidence. Exit status: 0 reproduced, 1 it differs,
3 it cannot be told, 2 for what cannot be compared.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from bertsquad.console.arguments import command_parser, natural_number
from bertsquad.console.errors import exit_with, shown

QUESTIONS = ("inputs", "settings", "code", "environment", "predictions", "f1", "speed", "trust")
_MOST_LINES = 4  # of evidence a question on the terminal; the page has all


def run(text: str) -> Path:
    """An argparse type: `make compare` without A or B gives an empty one."""
    if not text:
        raise argparse.ArgumentTypeError(
            "a run is missing; name two, as in make compare A=results B=../other/results"
        )
    return Path(text)


def required(text: str) -> tuple[str, ...]:
    """An argparse type: questions, with commas between them."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in QUESTIONS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(
            f"{(unknown or [text])[0]!r} is no question; known: {', '.join(QUESTIONS)}"
        )
    return names


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("first", type=run, metavar="A", help="a results folder, a certificate.json or a crate")
    add("second", type=run, metavar="B", help="the run that is compared with A")
    add("--page", type=Path, metavar="HTML", help="page to write")
    add("--json", type=Path, metavar="JSON", help="the same for programs")
    add(
        "--require",
        type=required,
        metavar="QUESTIONS",
        help="what counts for the exit status, with commas (default: inputs, settings, code, "
        "predictions, f1, and no cell slower); on another machine leave speed out, after a change "
        "of yours code",
    )
    add("--margin", type=natural_number, default=0.1, metavar="POINTS",
        help="a difference of F1 that nobody would act on (%(default)s)")  # fmt: skip
    add("--band", type=natural_number, default=0.03, metavar="SHARE",
        help="a difference of speed that nobody would act on (%(default)s)")  # fmt: skip
    add("--dataset", type=Path, metavar="JSON", help="the questions, where neither run has them")
    return parser.parse_args()


def terminal(found: dict[str, Any]) -> str:
    """What is printed: the sentence, then each question with its weightiest evidence."""
    lines = [found["sentence"]]
    for name, answer in found["verdicts"].items():
        lines.append(f"{name + ':':<13}{answer['verdict']}")
        evidence = answer["evidence"]
        lines += [f"    {each}" for each in evidence[:_MOST_LINES]]
        if len(evidence) > _MOST_LINES:
            lines.append(f"    and {len(evidence) - _MOST_LINES:,} more")
    return "\n".join(shown(line) for line in lines)


def main() -> None:
    args = parse_args()
    from bertsquad.certificate.compare.outcome import REQUIRED, Rules, compare
    from bertsquad.certificate.compare.sides import check_two, opened
    from bertsquad.files import write_json, write_text

    check_two(args.first, args.second)
    if args.dataset:
        from bertsquad.files import read_json

        read_json(args.dataset)  # one that cannot be read is no answer to any question
    rules = Rules(
        require=args.require or REQUIRED,
        explicit=args.require is not None,
        margin=args.margin,
        band=args.band,
        dataset=args.dataset,
    )
    with opened("A", args.first) as a, opened("B", args.second) as b:
        found = compare(a, b, rules)
    if args.page:
        from bertsquad.certificate.compare.page import render

        write_text(args.page, render(found))
    if args.json:
        write_json(args.json, found)
    print(terminal(found))
    sys.stdout.flush()
    sys.exit(found["exit"])


if __name__ == "__main__":
    exit_with(main)
