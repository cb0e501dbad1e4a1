"""Make the demo's data: passages and questions about a made-up world, and an untrained BERT.

Example:
    python scripts/generate_demo.py --seed 0 --train demo-train.json --dev demo-dev.json \\
        --checkpoint demo_uncased_L-2_H-128_A-2.zip

The same options give the same bytes.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bertsquad.console.arguments import command_parser, natural, positive
from bertsquad.console.errors import exit_with

VOCABULARY_SIZE = 4000


def generate(args: argparse.Namespace) -> None:
    from bertsquad.demo.checkpoint import write_checkpoint
    from bertsquad.demo.dataset import make_dataset
    from bertsquad.demo.vocabulary import make_vocabulary
    from bertsquad.files import write_json

    train = make_dataset(args.seed, "train", args.train_paragraphs)
    dev = make_dataset(args.seed, "dev", args.dev_paragraphs)
    vocabulary = make_vocabulary(texts(train), size=VOCABULARY_SIZE)
    write_json(args.train, train, sort_keys=False)
    write_json(args.dev, dev, sort_keys=False)
    write_checkpoint(args.checkpoint, vocabulary, args.seed)
    for path, dataset in ((args.train, train), (args.dev, dev)):
        paragraphs = len(dataset["data"])
        questions = sum(1 for _ in texts(dataset)) - paragraphs
        print(f"{path}: {paragraphs} passages, {questions} questions")
    print(f"{args.checkpoint}: untrained BERT, {len(vocabulary)} tokens in its vocabulary")


def texts(dataset: dict[str, Any]) -> Iterator[str]:
    """Every passage and question."""
    for article in dataset["data"]:
        for paragraph in article["paragraphs"]:
            yield paragraph["context"]
            for question in paragraph["qas"]:
                yield question["question"]


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--train", required=True, type=Path, metavar="JSON", help="training set to write")
    add("--dev", required=True, type=Path, metavar="JSON", help="development set to write")
    add("--checkpoint", required=True, type=Path, metavar="ZIP", help="archive to write")
    add("--seed", required=True, type=natural, help="of texts and weights, 0 or more")
    add("--train-paragraphs", type=positive, default=5000, help="passages of train (5000)")
    add("--dev-paragraphs", type=positive, default=130, help="passages of dev (130)")
    return parser.parse_args()


def main() -> None:
    generate(parse_args())


if __name__ == "__main__":
    exit_with(main)
