"""Make a BERT-Large of random weights, and features of random tokens as long as SQuAD's.

Example:
    python scripts/generate_random_model.py --model results/resources/speed/model \\
        --features results/resources/speed/features.safetensors --seed 0

Both are files like any others: every engine loads them, every command takes them. The model is
1.34 GB and takes some seconds.
"""

import argparse

from bertsquad.console.arguments import command_parser, natural
from bertsquad.console.errors import exit_with


def parse_args() -> argparse.Namespace:
    parser = command_parser(__doc__)
    add = parser.add_argument
    add("--model", required=True, metavar="DIR", help="model folder to write")
    add("--features", required=True, metavar="FILE", help="features to write")
    add("--config", metavar="JSON", help="another model's config.json (default: BERT-Large's)")
    add("--seed", type=natural, required=True, help="of weights and tokens")
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    from bertsquad.benchmark.random_bert import BERT_LARGE, random_features, write_model
    from bertsquad.benchmark.squad_lengths import MAX_SEQ_LENGTH, read_lengths
    from bertsquad.data import features
    from bertsquad.model.config import read_config

    config = read_config(args.config) if args.config else BERT_LARGE
    write_model(args.model, config, args.seed)
    made = random_features(
        read_lengths(), args.model, max_seq_length=MAX_SEQ_LENGTH, seed=args.seed
    )
    features.write(args.features, made)
    print(f"{len(made)} features of {made.lengths.mean():.1f} tokens on average")


if __name__ == "__main__":
    exit_with(main)
