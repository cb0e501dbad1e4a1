"""Cut a SQuAD file down to some of its questions, for experiments that must be quick.

Example:
    scripts/select_questions.py --dataset train-v1.1.json --questions 2400 \\
        --longest-context 900 --output train.json
"""

import argparse
from pathlib import Path

from bertsquad.console.arguments import command_parser, positive
from bertsquad.console.errors import UserError, exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("--dataset", type=Path, required=True, help="SQuAD 1.1 JSON")
    parser.add_argument("--output", type=Path, required=True, help="smaller JSON to write")
    parser.add_argument("--questions", type=positive, required=True, help="to keep, at least")
    parser.add_argument(
        "--longest-context", type=positive, required=True, help="in characters; longer ones go"
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from bertsquad.data import squad
    from bertsquad.data.selection import select
    from bertsquad.files import read_json, write_json

    squad.load(args.dataset)  # raises for a malformed file
    try:
        selected = select(
            read_json(args.dataset),
            questions=args.questions,
            longest_context=args.longest_context,
        )
    except UserError as error:
        raise UserError(f"{args.dataset}: {error}") from None
    write_json(args.output, selected, sort_keys=False)
    paragraphs = [p for article in selected["data"] for p in article["paragraphs"]]
    questions = sum(len(paragraph["qas"]) for paragraph in paragraphs)
    print(f"{args.output}: {questions:,} questions on {len(paragraphs):,} paragraphs")


if __name__ == "__main__":
    exit_with(main)
